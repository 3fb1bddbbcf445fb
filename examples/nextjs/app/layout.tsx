// SPDX-License-Identifier: Apache-2.0
// layout.tsx - the frame that the app router wants.
import type { ReactNode } from 'react';

export default function Layout({ children }: { children: ReactNode }) {
    return (
        <html lang="en">
            <body>{children}</body>
        </html>
    );
}
