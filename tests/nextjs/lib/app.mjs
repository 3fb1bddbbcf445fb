// SPDX-License-Identifier: Apache-2.0
// app.mjs - loads modules of examples/nextjs into this process, without a build: TypeScript is only
// stripped, and what Next.js itself would supply can be replaced.
import { existsSync, readFileSync } from 'node:fs';
import Module, { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import '../../broker/lib/webcrypto.mjs';

const ROOT = fileURLToPath(new URL('../../../examples/nextjs', import.meta.url));
// As tsconfig.json has it.
const BROWSER_MODULES = join(ROOT, '../exam/public/');

/** require() as from a file in the application's root. */
export const require = createRequire(join(ROOT, 'package.json'));

const ts = require('typescript');
const OPTIONS = {
    module: ts.ModuleKind.CommonJS,
    target: ts.ScriptTarget.ES2022,
    jsx: ts.JsxEmit.ReactJSX,
    esModuleInterop: true,
};
const replaced = new Map();

function compile(module, path) {
    const { outputText } = ts.transpileModule(readFileSync(path, 'utf8'), { compilerOptions: OPTIONS, fileName: path });
    module._compile(outputText, path);
}

function pathOf(name) {
    if (name === 'invigilator') {
        return join(BROWSER_MODULES, 'invigilator.js');
    }
    if (!name.startsWith('@/')) {
        return name === 'mqtt' ? require.resolve(name) : name;
    }
    const base = join(ROOT, name.slice(2));
    return [`${base}.ts`, `${base}.tsx`].find((path) => existsSync(path)) ?? base;
}

const loadJavaScript = Module._extensions['.js'];
Module._extensions['.js'] = (module, path) =>
    path.startsWith(BROWSER_MODULES) ? compile(module, path) : loadJavaScript(module, path);
Module._extensions['.ts'] = compile;
Module._extensions['.tsx'] = compile;

const loadAsBefore = Module._load;
Module._load = function load(name, ...rest) {
    if (replaced.has(name)) {
        return replaced.get(name);
    }
    return loadAsBefore.call(this, pathOf(name), ...rest);
};

/** From now on, whoever imports `name` (as written there) gets these exports. */
export function replace(name, exports) {
    replaced.set(name, exports);
}

/** The exports of a module of the application ('@/lib/auth') or of a package. */
export function load(name) {
    return require(name);
}
