import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Bundler } from '../../src/bundle/bundler.ts';
import { bundleCode, createInstallation, errorOf, type Installation, openBundler, runScript, WRAPPERS } from './fixture.ts';

const FILES = {
  'secret.txt': 'secret',
  'outside/index.js': 'export const leaked = "outside";',
  'outside/package.json': '{ "name": "linked", "main": "index.js" }',
  'tsconfig.json': '{ "compilerOptions": { "paths": { "tiny": ["./secret.txt"], "fs": ["./outside/index.js"] } } }',
  'node_modules/tiny/package.json': '{ "name": "tiny", "main": "index.js", "version": "1.2.3" }',
  'node_modules/tiny/index.js':
    'const dep = require("dep"); exports.twice = (x) => dep.times(2, x); exports.version = require("./package.json").version;\n//# sourceMappingURL=../../secret.txt\n',
  'node_modules/tiny/extra.mjs': 'export const extra = "extra"; export default 1;',
  'node_modules/dep/index.js': 'exports.times = (a, b) => a * b;',
  'node_modules/@scope/pack/index.js': 'export const scoped = true;',
  'node_modules/@scope/pack/package.json': '{ "name": "@scope/pack", "module": "index.js" }',
  'node_modules/node-only/index.js': 'import fs from "node:fs"; export const x = () => fs;',
  'node_modules/browserish/package.json': '{ "main": "index.js", "browser": { "fs": false } }',
  'node_modules/browserish/index.js': 'exports.fs = Object.keys(require("fs")).length;',
  'node_modules/native/index.js': 'import "./addon.node"; export const x = 1;',
  'node_modules/native/addon.node': '',
  'node_modules/escaping/index.js': 'export { leaked } from "../../outside/index.js";',
  'node_modules/absolute/index.js': 'import "/etc/passwd"; export const x = 1;',
  'node_modules/remote/index.js': 'import "https://example.com/x.js"; export const x = 1;',
  'node_modules/dynamic/index.js': 'export const load = (name) => import(name);',
  'node_modules/secretive/index.js': 'export const x = 1;',
};
const LIBRARIES = [
  'tiny',
  '@scope/pack',
  'node-only',
  'browserish',
  'native',
  'escaping',
  'absolute',
  'remote',
  'dynamic',
  'linked',
  'absent',
];

let installation: Installation;
let bundler: Bundler;
beforeAll(async () => {
  installation = await createInstallation(FILES);
  await symlink(join(installation.root, 'outside'), join(installation.root, 'node_modules', 'linked'));
  bundler = openBundler({ libraries: LIBRARIES, resolveFrom: installation.root });
});
afterAll(async () => {
  await bundler.close();
  await installation[Symbol.asyncDispose]();
});

async function run(code: string): Promise<unknown> {
  return await runScript(await bundleCode(bundler, code));
}

describe('servers', () => {
  const called = ['github', 'list_issues', { repo: 'r' }];
  test.each([
    ['by name', 'import { listIssues } from "servers/github"; return await listIssues({ repo: "r" })'],
    ['as a namespace', 'import * as github from "servers/github"; return await github.listIssues({ repo: "r" })'],
    ['one file', 'import { listIssues } from "servers/github/listIssues"; return await listIssues({ repo: "r" })'],
    ['one file with its ending', 'import { listIssues } from "servers/github/listIssues.ts"; return await listIssues({ repo: "r" })'],
    ['at run time', 'const { listIssues } = await import("servers/github"); return await listIssues({ repo: "r" })'],
    ['at run time, in backquotes', 'const { listIssues } = await import(`servers/github`); return await listIssues({ repo: "r" })'],
    ['without their wrapper', 'import { callTool } from "ampoule"; return await callTool("github", "list_issues", { repo: "r" })'],
  ])('are imported %s', async (_, code) => {
    expect(await run(code)).toEqual(called);
  });

  test('have a type-only import beside the functions', async () => {
    expect(
      await run('import { listIssues, ListIssuesInput } from "servers/github"; let x: ListIssuesInput; return typeof listIssues'),
    ).toBe('function');
  });
});

describe('an import that does not exist', () => {
  test.each([
    ['fs', /no file system.*readFile/u],
    ['node:fs/promises', /no file system.*readFile/u],
    ['http', /no network/iu],
    ['node:child_process', /no process/u],
    ['node:zlib', /modules of Node/u],
    ['node:nonsense', /modules of Node/u],
    ['./x', /paths cannot be imported/u],
    ['../servers/github', /paths cannot be imported/u],
    ['/etc/passwd', /paths cannot be imported/u],
    ['#internal', /paths cannot be imported/u],
    ['C:\\x', /addresses/u],
    ['https://example.com/x.js', /addresses/u],
    ['data:text/javascript,export default 1', /addresses/u],
    ['file:///etc/passwd', /addresses/u],
    ['npm:tiny', /addresses/u],
    ['ampoule/x', /"ampoule" itself/u],
    ['github', /Write "servers\/github"/u],
    ['secretive', /Allowed packages: "@scope\/pack"/u],
    ['tinny', /Did you mean "tiny"/u],
    ['tiny/../secretive', /Allowed packages/u],
    ['@scope/other', /Allowed packages/u],
    ['constructor', /Allowed packages/u],
    ['', /Allowed packages/u],
    ['servers', /Servers: "servers\/github"/u],
    ['servers/', /Servers: "servers\/github"/u],
    ['servers/githb', /Servers: "servers\/github"/u],
    ['servers/../github', /Servers/u],
    ['servers/manifest.json', /Servers/u],
    ['servers/github/../github/index', /no such file/u],
    ['servers/github/listIsues', /no such file/u],
  ])('%j is refused with advice, used or not', async (specifier, advice) => {
    for (const code of [
      `\nimport x from ${JSON.stringify(specifier)};`,
      `\nawait import(${JSON.stringify(specifier)})`,
      `\nexport * from ${JSON.stringify(specifier)}`,
    ]) {
      const error = await errorOf(bundleCode(bundler, code));
      expect(error.code).toBe('ERR_BUNDLE_IMPORT');
      expect(error.message).toContain(specifier);
      expect(error.details.hint).toMatch(advice);
      expect(error.details.location).toMatchObject({ line: 2, column: code.indexOf(JSON.stringify(specifier)) });
    }
  });

  test('is named together with all others', async () => {
    const error = await errorOf(bundleCode(bundler, 'import a from "fs";\nimport b from "servers/githb";\nimport c from "./c";'));
    expect(error.details.diagnostics?.map(({ location }) => location?.line)).toEqual([1, 2, 3]);
    expect(error.details.diagnostics?.[1]?.message).toContain('Did you mean "servers/github"?');
  });

  test.each([
    [
      'import { listIsues } from "servers/github";\nreturn listIsues',
      '"servers/github" has no export "listIsues". Did you mean "listIssues"?',
    ],
    [
      'import * as g from "servers/github";\nreturn g.listIsues()',
      '"servers/github" has no export "listIsues". Did you mean "listIssues"?',
    ],
    ['import { callTol } from "ampoule";\nreturn callTol', '"ampoule" has no export "callTol". Did you mean "callTool"?'],
    ['import ampoule from "ampoule";\nreturn ampoule', '"ampoule" has no export "default".'],
    ['import { extr } from "tiny/extra.mjs";\nreturn extr', '"tiny" has no export "extr".'],
  ])('as a name in %j is refused with the nearest names', async (code, message) => {
    const error = await errorOf(bundleCode(bundler, code));
    expect(error.code).toBe('ERR_BUNDLE_IMPORT');
    expect(error.message).toBe(message);
    expect(error.details.location?.source).toBe(code.split('\n')[error.details.location!.line - 1]);
  });

  test.each([
    'const n = "servers/github"; await import(n)',
    'await import("servers/" + input)',
    'await import("servers/github", { with: { type: "json" } })',
    'import x from "servers/github" with { type: "json" }; x',
    'require("fs")',
    'try { require("tiny") } catch {}',
    'import fs = require("fs"); fs',
    'return import.meta.url',
  ])('in the form %j is refused', async (code) => {
    expect((await errorOf(bundleCode(bundler, code))).code).toBe('ERR_BUNDLE_IMPORT');
  });

  test('says that no packages are allowed when none are', async () => {
    await using none = openBundler();
    expect((await errorOf(bundleCode(none, 'import "lodash"'))).details.hint).toMatch(/No npm packages are allowed/u);
  });
});

describe('libraries', () => {
  test.each([
    ['with their own dependencies and JSON', 'import { twice, version } from "tiny"; return [twice(4), version]', [8, '1.2.3']],
    ['by subpath', 'import { extra } from "tiny/extra.mjs"; return extra', 'extra'],
    ['with a scope', 'import { scoped } from "@scope/pack"; return scoped', true],
    ['in their browser form', 'import { fs } from "browserish"; return fs', 0],
    ['at run time', 'return (await import("tiny")).version', '1.2.3'],
  ])('are bundled %s', async (_, code, expected) => {
    expect(await run(code)).toEqual(expected);
  });

  test.each([
    ['node-only', /The library "node-only" cannot be used: it imports "node:fs"/u],
    ['native', /The library "native" cannot be used: it needs a .node file/u],
    ['escaping', /cannot be used: it lies outside/u],
    ['linked', /cannot be used: it lies outside/u],
    ['absolute', /cannot be used/u],
    ['remote', /The library "remote" cannot be used: it imports from the network/u],
    ['absent', /The library "absent" is allowed but cannot be found/u],
    ['tiny/missing', /The library "tiny\/missing" is allowed but cannot be found/u],
  ])('are refused when they cannot run here: %s', async (name, message) => {
    const error = await errorOf(bundleCode(bundler, `\nimport * as x from ${JSON.stringify(name)}; return x`));
    expect(error.code).toBe('ERR_BUNDLE_IMPORT');
    expect(error.message).toMatch(message);
    expect(JSON.stringify([error.message, error.details])).not.toContain(installation.root);
  });

  test('never leave a dynamic import in the script', async () => {
    const { script } = await bundleCode(bundler, 'import { load } from "dynamic"; return load');
    expect(script).not.toMatch(/\bimport\(/u);
  });

  test('leave no path of the machine in the script', async () => {
    const { script } = await bundleCode(
      bundler,
      'import { twice } from "tiny"; import { scoped } from "@scope/pack"; return [twice, scoped]',
    );
    expect(script).not.toContain(installation.root);
    expect(script).not.toContain('secret');
  });
});

test('a wrapper that does not parse fails without a word about the agent', async () => {
  const wrappers = { ...WRAPPERS, hash: 'bad', files: new Map([['github/index.ts', 'export const = 1']]) };
  const error = await errorOf(bundleCode(bundler, 'import * as g from "servers/github"; return g', wrappers));
  expect(error.code).toBe('ERR_BUNDLE_FAILED');
  expect(error.message).toContain('github/index.ts');
});

test('a server with many tools is bundled to the one that is used', async () => {
  const names = Array.from({ length: 200 }, (_, index) => `tool${index}`);
  const files = new Map(
    names.map((name) => [
      `big/${name}.ts`,
      `import { callTool } from "ampoule";\nexport const ${name} = (x: object) => callTool("big", "${name}", x);\n`,
    ]),
  );
  files.set('big/index.ts', names.map((name) => `export { ${name} } from "./${name}.ts";\n`).join(''));
  const bundle = await bundleCode(bundler, 'import * as big from "servers/big"; return await big.tool7({})', {
    hash: 'big',
    files,
    tools: [],
  });
  expect(await runScript(bundle)).toEqual(['big', 'tool7', {}]);
  expect(bundle.script).not.toContain('tool8');
});
