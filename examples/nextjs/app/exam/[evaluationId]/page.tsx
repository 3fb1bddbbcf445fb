// SPDX-License-Identifier: Apache-2.0
// page.tsx - the page of one exam, for who is signed in.
import { redirect } from 'next/navigation';
import { getServerSession } from 'next-auth';
import { ExamStatus } from '@/components/exam-status';
import { authOptions } from '@/lib/auth';

interface PageProps {
    params: Promise<{ evaluationId: string }>;
}

export default async function ExamPage({ params }: PageProps) {
    const { evaluationId } = await params;
    if (!(await getServerSession(authOptions))) {
        redirect(`/api/auth/signin?callbackUrl=${encodeURIComponent(`/exam/${evaluationId}`)}`);
    }
    return <ExamStatus url={process.env.INVIGILATOR_URL ?? ''} evaluationId={evaluationId} />;
}
