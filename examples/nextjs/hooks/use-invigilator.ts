// SPDX-License-Identifier: Apache-2.0
// use-invigilator.ts - follows evaluations for as long as the component is there.
'use client';

import { Invigilator } from 'invigilator';
import { useMemo, useSyncExternalStore } from 'react';
import { fetchToken } from '@/lib/fetch-token';
import { InvigilatorStore, type InvigilatorState } from '@/lib/invigilator-store';

export interface UseInvigilatorOptions {
    /** The broker's WebSocket listener, wss://... */
    url: string;
    /** The ids of the evaluations to follow. */
    evaluations: string[];
    /** As the plugin's topic_prefix. */
    topicPrefix?: string;
}

export function useInvigilator({ url, evaluations, topicPrefix }: UseInvigilatorOptions): InvigilatorState {
    // By value: callers write the list anew in each render.
    const settings = JSON.stringify({ url, evaluations, topicPrefix });
    const store = useMemo(
        () => new InvigilatorStore(() => new Invigilator({ ...JSON.parse(settings), fetchToken })),
        [settings],
    );
    return useSyncExternalStore(store.subscribe, store.getSnapshot, store.getServerSnapshot);
}
