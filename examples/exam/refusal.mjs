// SPDX-License-Identifier: Apache-2.0
// refusal.mjs - an error whose text is for whoever made the request.
export class Refusal extends Error {
    constructor(status, text) {
        super(text);
        this.status = status;
    }
}
