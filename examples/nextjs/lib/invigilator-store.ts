// SPDX-License-Identifier: Apache-2.0
// invigilator-store.ts - what is known of some evaluations, as a store that React can read
// (useSyncExternalStore). The connection lives as long as somebody has subscribed.
import type { Invigilator } from 'invigilator';

export interface EvaluationState {
    phase?: string;
    /** The end that counts for this user. */
    endAt?: string;
    access?: 'ALLOWED' | 'DENIED' | 'BLOCKED';
    blocked?: { reason?: string; at?: string };
}

export interface InvigilatorState {
    online: boolean;
    /** The login has ended; for SUPERSEDED and REVOKED the page has to sign in again. */
    invalidated?: 'SUPERSEDED' | 'REVOKED' | 'EXPIRED';
    /** By evaluation id; one of which nothing has been heard yet is not there. */
    evaluations: Readonly<Record<string, EvaluationState>>;
}

type Source = Pick<Invigilator, 'on' | 'start' | 'stop'>;

const NOTHING: InvigilatorState = { online: false, evaluations: {} };

export class InvigilatorStore {
    #create: () => Source;
    #state = NOTHING;
    #listeners = new Set<() => void>();
    #stop: (() => void) | undefined; // there while it runs

    /** `create` is called at each start, and for nothing else: making a store has no effect. */
    constructor(create: () => Source) {
        this.#create = create;
    }

    getSnapshot = (): InvigilatorState => this.#state;

    getServerSnapshot = (): InvigilatorState => NOTHING;

    subscribe = (listener: () => void): (() => void) => {
        this.#listeners.add(listener);
        this.#stop ??= this.#start();
        return () => {
            this.#listeners.delete(listener);
            // React's strict mode unsubscribes and subscribes again in one go: that is no reason to
            // connect twice.
            queueMicrotask(() => this.#stopIfUnused());
        };
    };

    #start(): () => void {
        const source = this.#create();
        const offs = this.#listenTo(source);
        source.start();
        return () => {
            offs.forEach((off) => off());
            void source.stop();
            this.#state = NOTHING; // it may change before the next start
        };
    }

    #stopIfUnused() {
        if (this.#listeners.size === 0) {
            this.#stop?.();
            this.#stop = undefined;
        }
    }

    #listenTo(source: Source): (() => void)[] {
        return [
            source.on('online', () => this.#set({ online: true, invalidated: undefined })),
            source.on('offline', () => this.#set({ online: false })),
            source.on('invalidated', ({ reason }) => this.#set({ invalidated: reason })),
            source.on('phase', ({ evaluationId, phase }) => this.#setEvaluation(evaluationId, { phase })),
            source.on('endAt', ({ evaluationId, endAt }) => this.#setEvaluation(evaluationId, { endAt })),
            source.on('blocked', ({ evaluationId, reason, at }) =>
                this.#setEvaluation(evaluationId, { access: 'BLOCKED', blocked: { reason, at } })),
            source.on('access', ({ evaluationId, access }) =>
                // A block is over when the access is another one.
                this.#setEvaluation(evaluationId, access === 'BLOCKED' ? { access } : { access, blocked: undefined })),
        ];
    }

    #setEvaluation(id: string, change: EvaluationState) {
        const { evaluations } = this.#state;
        this.#set({ evaluations: { ...evaluations, [id]: { ...evaluations[id], ...change } } });
    }

    #set(change: Partial<InvigilatorState>) {
        this.#state = { ...this.#state, ...change };
        this.#listeners.forEach((listener) => listener());
    }
}
