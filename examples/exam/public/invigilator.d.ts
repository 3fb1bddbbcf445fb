// SPDX-License-Identifier: Apache-2.0
// invigilator.d.ts - what invigilator.js offers, and what its events mean.
import type { connect } from 'mqtt';

export type Access = 'ALLOWED' | 'DENIED' | 'BLOCKED';

/** A message as it was published; members that are not named here pass through. */
export interface EvaluationMessage {
    type: 'EVALUATION_UPDATE';
    evaluationId: string;
    userId?: string;
    phase?: string;
    startAt?: string | null;
    endAt?: string | null;
    version?: number;
    access?: Access;
    status?: 'IN_PROGRESS' | 'FINISHED' | null;
    reason?: string;
    at?: string;
    [member: string]: unknown;
}

/** Times are RFC 3339, UTC. */
export interface InvigilatorEvents {
    /** Connected and subscribed; what is retained comes as events right after it. */
    online: Record<string, never>;
    /** The network, the broker or the login is gone. `closed`: at once when the socket closes, also
     *  when a connection could not be made. `timeout`: the broker has been silent for one and a half
     *  keepalives. `token`: there was no token to be had. `stopped`: stop() was called, or the session
     *  was invalidated for good. Comes again only when the reason changes. */
    offline: { reason: 'closed' | 'timeout' | 'stopped' | 'token' };
    /** `phase` is undefined when the evaluation was forgotten. */
    phase: {
        evaluationId: string;
        phase: string | undefined;
        startAt: string | null | undefined;
        endAt: string | null | undefined;
        message: EvaluationMessage | undefined;
    };
    /** The end that counts for this user changed; `own` when it is not the one of everybody. */
    endAt: { evaluationId: string; endAt: string | undefined; own: boolean };
    /** `access` is undefined when what was said of the user was forgotten, and when the user is on no
     *  list and nothing was ever said. */
    access: {
        evaluationId: string;
        access?: Access;
        status?: 'IN_PROGRESS' | 'FINISHED' | null;
        message?: EvaluationMessage;
    };
    /** Comes after `access`. Either this page sits the exam and somebody else logged in as its user,
     *  or this page is that second login and is turned away: then there is no `online`, and it asks
     *  again every `blockedRetry` seconds. */
    blocked: { evaluationId: string; reason: string | undefined; at: string | undefined };
    /** After SUPERSEDED and REVOKED it has stopped; after EXPIRED it goes on with a newer token. */
    invalidated: { reason: 'SUPERSEDED' | 'REVOKED' | 'EXPIRED' };
    /** The connection ends then; it is being renewed. */
    expiring: { expiresAt: string };
    /** The broker refused the login. It tries again with another token. */
    refused: { code: number };
    /** Anything else that came in, without topic_prefix: on users/{user}, and on `topics`. `message` is
     *  undefined for one that was cleared. */
    message: { topic: string; message: Record<string, unknown> | undefined };
}

export interface InvigilatorOptions {
    /** wss://exam.example/mqtt */
    url: string;
    /** Called before each connect and for each renewal. Resolves to the JWT; rejects where nobody is
     *  signed in or the server is away, and is then asked again, with pauses of up to 10 s. */
    fetchToken: () => Promise<string>;
    /** What to follow. */
    evaluations?: string[];
    /** Further topic filters, for professors: 'evaluations/e1/presence/+'. Without topicPrefix. */
    topics?: string[];
    /** As the plugin's topic_prefix. */
    topicPrefix?: string;
    /** Seconds; 20 where it is missing. At most the plugin's max_keepalive. */
    keepalive?: number;
    /** Seconds, about, between two attempts of a page that is turned away; 15 where it is missing. */
    blockedRetry?: number;
    /** mqtt.connect, or something like it. */
    connect?: typeof connect;
}

export declare class Invigilator {
    constructor(options: InvigilatorOptions);
    /** Returns a function that removes the listener. */
    on<Name extends keyof InvigilatorEvents>(
        name: Name, listener: (event: InvigilatorEvents[Name]) => void): () => void;
    start(): void;
    /** Resolves when the connection is closed. start() may follow. */
    stop(): Promise<void>;
}
