// SPDX-License-Identifier: Apache-2.0
// stats.mjs - rounds that alternate between variants, and what is made of their numbers.

function sorted(values) {
    return [...values].sort((a, b) => a - b);
}

export function median(values) {
    const all = sorted(values);
    const middle = all.length >> 1;
    return all.length % 2 === 1 ? all[middle] : (all[middle - 1] + all[middle]) / 2;
}

/** The smallest value that at least so many percent of all do not exceed. */
export function percentile(values, percent) {
    const all = sorted(values);
    return all[Math.max(0, Math.ceil(all.length * percent / 100) - 1)];
}

export function spread(values) {
    return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/** Of several rounds, each an object of the same numbers: the spread of each number. */
export function spreadEach(rounds) {
    return Object.fromEntries(Object.keys(rounds[0]).map((key) => [key, spread(rounds.map((round) => round[key]))]));
}

/** The order of variants in a round: whatever a variant leaves in caches helps another in the next. */
function orderOf(count, round) {
    const order = Array.from({ length: count }, (_, i) => (i + (round >> 1)) % count);
    return round % 2 === 0 ? order : order.reverse();
}

async function measureNamed(variant, round, measure) {
    try {
        return await measure(variant, round);
    } catch (error) {
        throw new Error(`${variant.label}, round ${round + 1}: ${error.message}`, { cause: error });
    }
}

/** Measures each variant once in each round. Returns for each variant what its rounds gave. */
export async function alternate(variants, rounds, measure) {
    const results = variants.map(() => []);
    for (let round = 0; round < rounds; round++) {
        for (const i of orderOf(variants.length, round)) {
            results[i].push(await measureNamed(variants[i], round, measure));
        }
    }
    return results;
}

/** Alternates, and makes a row of each variant: its numbers' spread, and what each round gave. */
export async function rowsOf({ table = '', users, variants, rounds }, measure) {
    const results = await alternate(variants, rounds, measure);
    return variants.map(({ label }, i) => (
        { table, variant: label, users, values: spreadEach(results[i]), rounds: results[i] }));
}

/** A row by its variant, number of users and table. */
export function findRow(rows, label, users, table = '') {
    return rows.find((row) => row.variant === label && row.users === users && row.table === table);
}

/** Something that must not exceed a limit. */
export function atMost(limit, name, value, unit = '') {
    return { name, value, limit, unit, pass: value <= limit };
}

/** That the median of one row is at most so many times that of another. */
export function ratioAtMost(limit, name, key, row, base) {
    return atMost(limit, name, row.values[key].median / base.values[key].median, 'times');
}
