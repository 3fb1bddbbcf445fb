// SPDX-License-Identifier: Apache-2.0
// exam-status.tsx - one line about an exam, as it is at this moment.
'use client';

import { useInvigilator } from '@/hooks/use-invigilator';

interface ExamStatusProps {
    url: string;
    evaluationId: string;
}

export function ExamStatus({ url, evaluationId }: ExamStatusProps) {
    const { online, invalidated, evaluations } = useInvigilator({ url, evaluations: [evaluationId] });
    const { phase, endAt, access } = evaluations[evaluationId] ?? {};

    if (invalidated === 'SUPERSEDED' || invalidated === 'REVOKED') {
        return <p role="alert">You have signed in elsewhere, or were signed out. This page has ended.</p>;
    }
    if (access === 'BLOCKED') {
        return <p role="alert">This exam is open in another place. Call the supervisor.</p>;
    }
    if (access === 'DENIED') {
        return <p role="alert">You do not take part in this exam.</p>;
    }
    return (
        <p role="status">
            {online ? 'Connected' : 'Connecting...'} {phase ?? ''}{' '}
            {endAt && <time dateTime={endAt}>until {new Date(endAt).toLocaleTimeString()}</time>}
        </p>
    );
}
