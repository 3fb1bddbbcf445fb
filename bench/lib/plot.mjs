// SPDX-License-Identifier: Apache-2.0
// plot.mjs - bars by gnuplot, as SVG.
import { run } from './process.mjs';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const COLORS = ['#2f6db3', '#e08a2e', '#4a9d5b'];

/** Text for gnuplot: in double quotes, where a backslash and the quotes mean something. */
function quote(text) {
    return `"${text.replace(/[\\"]/g, '\\$&')}"`;
}

function unique(values) {
    return [...new Set(values)];
}

/** One group of bars for each variant, and in it one for each series. */
function script({ title, axis, groups, series, value }) {
    const data = groups.map((group) => [quote(group), ...series.map((one) => value(group, one)?.toFixed(3) ?? '?')]);
    const bars = series.map((one, i) =>
        `$data using ${i + 2}:xtic(1) title ${quote(one)} linecolor rgb "${COLORS[i % COLORS.length]}"`);
    return [
        'set terminal svg size 820,460 font "sans-serif,14" background "#ffffff"',
        'set encoding utf8',
        'set datafile missing "?"',
        `set title ${quote(title)} font ",16"`,
        `set ylabel ${quote(axis)}`,
        'set yrange [0:*]',
        'set style data histogram',
        'set style histogram clustered gap 1',
        'set style fill solid 0.9 noborder',
        'set boxwidth 0.9 relative',
        'set grid ytics linecolor rgb "#dddddd"',
        'set xtics rotate by -25 left nomirror',
        'set ytics nomirror',
        'set border 3 linecolor rgb "#666666"',
        'set key top left reverse Left',
        '$data << END', ...data.map((cells) => cells.join(' ')), 'END',
        `plot ${bars.join(', ')}`,
        '',
    ].join('\n');
}

function draw(dir, file, plot) {
    writeFileSync(join(dir, file), run('gnuplot', [], { input: script(plot) }));
    return { file, title: plot.title };
}

function byUsers(rows, key) {
    const value = (group, one) => {
        const row = rows.find(({ variant, users }) => variant === group && `${users} students` === one);
        return row?.values[key].median;
    };
    return { groups: unique(rows.map(({ variant }) => variant)),
        series: unique(rows.map(({ users }) => `${users} students`)), value };
}

const PLOTS = [
    ['login', 'cpu-per-login.svg', 'cpuUs', 'Server CPU time of one login over WebSockets', 'microseconds'],
    ['fanout', 'cpu-per-delivery.svg', 'cpuUs', 'Server CPU time of one delivery over WebSockets', 'microseconds'],
    ['fanout', 'fanout-latency.svg', 'p99Ms', 'A message to everybody: 99 of 100 have it after', 'milliseconds'],
];

/** Draws what was measured. Returns the files' names and titles. */
export function drawPlots(dir, results) {
    const measured = new Map(results);
    return PLOTS.filter(([name]) => measured.has(name)).map(([name, file, key, title, axis]) => {
        const rows = measured.get(name).rows.filter(({ table }) => table === 'WebSockets');
        return draw(dir, file, { title, axis, ...byUsers(rows, key) });
    });
}
