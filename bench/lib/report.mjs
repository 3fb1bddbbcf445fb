// SPDX-License-Identifier: Apache-2.0
// report.mjs - the results as Markdown.

function table(heads, rows) {
    const isNumber = heads.map((_, i) => i > 0 && rows.every((row) => /^$|^[-\d.]/.test(row[i])));
    const line = (cells) => `| ${cells.join(' | ')} |`;
    return [line(heads), line(isNumber.map((is) => (is ? '---:' : '---'))), ...rows.map(line), ''].join('\n');
}

function cell(value, digits) {
    if (value === undefined || value === null) {
        return '';
    }
    if (typeof value !== 'object') {
        return typeof value === 'number' ? value.toFixed(digits) : String(value);
    }
    const [middle, low, high] = [value.median, value.min, value.max].map((each) => each.toFixed(digits));
    return low === high ? middle : `${middle} (${low}..${high})`;
}

function columnsOf({ columns, rows }) {
    return columns ?? [...new Set(rows.flatMap(({ values }) => Object.keys(values)))].map((key) => [key, key, 2]);
}

function rowsTable(result, rows) {
    const columns = columnsOf(result).filter(([key]) => rows.some(({ values }) => values[key] !== undefined));
    const usersTitle = result.usersTitle === undefined ? 'students' : result.usersTitle;
    const users = (row) => (usersTitle === null ? [] : [String(row.users ?? '')]);
    // Where it is not the same for all.
    const hasRounds = new Set(rows.map(({ rounds }) => rounds?.length)).size > 1;
    const heads = [result.variantTitle ?? 'variant', ...(usersTitle === null ? [] : [usersTitle]),
        ...(hasRounds ? ['rounds'] : []),
        ...columns.map(([, title]) => title)];
    return table(heads, rows.map((row) => [row.variant, ...users(row),
        ...(hasRounds ? [String(row.rounds?.length ?? '')] : []),
        ...columns.map(([key, , digits]) => cell(row.values[key], digits))]));
}

function section(name, result) {
    const tables = [...new Set(result.rows.map((row) => row.table ?? ''))];
    const parts = tables.flatMap((title) => [
        ...(title ? [`### ${title}\n`] : []),
        rowsTable(result, result.rows.filter((row) => (row.table ?? '') === title)),
    ]);
    return [`## ${result.title ?? name}\n`, ...(result.notes ?? []).map((note) => `${note}\n`), ...parts,
        `Experiment \`${name}\`, ${result.seconds.toFixed(0)} s.\n`].join('\n');
}

function number(value) {
    return String(Number(value.toPrecision(4)));
}

/** One target with both numbers and whether it is met. */
export function targetText({ name, value, limit, unit, pass }) {
    return `${pass ? 'PASS' : 'FAIL'}  ${name}: ${number(value)}${unit ? ` ${unit}` : ''}, at most ${number(limit)}`;
}

function targetsTable(results) {
    const targets = results.flatMap(([, { targets }]) => targets ?? []);
    return table(['target', 'measured', 'at most', ''], targets.map(({ name, value, limit, unit, pass }) => [
        name, `${number(value)} ${unit ?? ''}`.trim(), number(limit), pass ? 'PASS' : 'FAIL']));
}

function overviewTable(results) {
    const lines = results.flatMap(([, { overview }]) => overview ?? []);
    return table(['', 'with the plugin', 'to compare'],
        lines.map(({ what, plugin, others }) => [what, plugin, others]));
}

function plotsText(plots) {
    return plots.map(({ file, title }) => `![${title}](${file})\n`).join('\n');
}

/** `results` are pairs of an experiment's name and what it measured. */
export function reportText({ machine, options, results, plots }) {
    return [
        '# Benchmark\n',
        `${options.isQuick ? 'A quick run, to see that it works: its figures mean little. ' : ''}`
        + `Made by \`bench/run\`, ${options.rounds} rounds; all variants of a table alternate in each round. `
        + 'Figures are the median of the rounds, and in brackets the least and the most. Servers, clients and '
        + 'backend share the machine, over loopback.\n',
        table(['machine', ''], machine),
        '## Overview\n', overviewTable(results),
        '## Targets\n', targetsTable(results),
        plotsText(plots),
        ...results.map(([name, result]) => section(name, result)),
    ].join('\n');
}
