// SPDX-License-Identifier: Apache-2.0
// asking.mjs - what the experiment on polling gives, in the form of all others.

const COLUMNS = [['requests_per_hour', 'requests', 0], ['bytes_up_per_hour', 'bytes up', 0],
    ['bytes_down_per_hour', 'bytes down', 0], ['cpu_ms_per_student_hour', 'CPU ms', 1]];

function overviewOf(rows) {
    const [asking, told] = [/^polling.*304/, /^MQTT/].map((way) => rows.find(({ variant }) => way.test(variant)));
    const text = ({ values }) => `${((values.bytes_up_per_hour + values.bytes_down_per_hour) / 1000).toFixed(0)} kB, ${
        values.cpu_ms_per_student_hour.toFixed(0)} ms`;
    return asking && told
        ? [{ what: 'Bytes and server CPU time of a student in an hour', plugin: text(told),
            others: `${asking.variant} ${text(asking)}` }] : [];
}

/** Rows that carry their numbers themselves, with `way`, `students` and `note`, as rows with `values`. */
export function withValues(result) {
    if (result.rows.every(({ values }) => values)) {
        return result;
    }
    const rows = result.rows.map(({ way, students, note, ...values }) => (
        { table: '', variant: way, users: students, note, values, rounds: [values] }));
    const notes = rows.filter(({ note }) => note).map(({ variant, note }) => `*${variant}*: ${note}`);
    return { title: 'An hour of a student: asking again and again, or being told', columns: COLUMNS, notes,
        overview: overviewOf(rows), ...result, rows };
}
