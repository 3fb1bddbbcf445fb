// SPDX-License-Identifier: Apache-2.0
// application.ts - what only your application knows. Put your own look-ups here.

export interface Account {
    /** Becomes the user id of topics: at most 128 bytes, none of / + #, not starting with $. */
    id: string;
    name?: string;
}

export interface Participation {
    role: 'student' | 'professor';
    /** What a student takes part in or a professor supervises; at most 64, so not those long past. */
    evaluations: string[];
}

/** Whose name and password these are; null for nobody's. */
export async function findAccount(_name: string, _password: string): Promise<Account | null> {
    return null; // your database or directory
}

/** What the user may follow, besides what the backend publishes on evaluations/{e}/users/{u}. It is
 *  asked for each token, so every few minutes for each open page. */
export async function participationOf(_userId: string): Promise<Participation> {
    return { role: 'student', evaluations: [] }; // your database
}
