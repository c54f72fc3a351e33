import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Checker } from '../../src/check/checker.ts';
import { LibraryTypes } from '../../src/check/library-types.ts';
import { CATALOG, openChecker, shown, SIGNAL, wrappersOf } from './fixture.ts';

const wrappers = await wrappersOf(CATALOG);
let root = '';
let checker: Checker;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'ampoule-check-'));
  const files: Record<string, string> = {
    'secret.d.ts': 'export interface Secret { password: "hunter2" }\ndeclare global { var stolen: "hunter2" }',
    'secret.json': '{ "password": "hunter2" }',
    'tsconfig.json': '{ "compilerOptions": { "strict": false, "types": ["evil"], "lib": ["dom"] } }',
    'node_modules/@types/evil/index.d.ts': 'declare var stolen: "hunter2";',
    'node_modules/@types/node/index.d.ts': 'declare var process: { env: Record<string, string> };',
    'node_modules/forbidden/index.d.ts': 'export declare const password: "hunter2";',
    'node_modules/allowed/package.json': '{ "name": "allowed", "types": "index.d.ts", "dependencies": { "helper": "1" } }',
    'node_modules/allowed/index.d.ts':
      '/// <reference types="node" />\n/// <reference path="../../secret.d.ts" />\nimport type { Secret } from "../../secret";\nimport type { Helper } from "helper";\nexport declare const helper: Helper;\nexport declare const secret: Secret;\nexport * from "./linked";',
    'node_modules/allowed/.npmrc': 'token=hunter2',
    'node_modules/helper/index.d.ts': 'export interface Helper { helped: number }',
  };
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(root, name, '..'), { recursive: true });
    await writeFile(join(root, name), text);
  }
  await symlink(join(root, 'secret.d.ts'), join(root, 'node_modules/allowed/linked.d.ts'));
  checker = openChecker({ resolveFrom: root, libraries: ['allowed', 'untyped'] });
});
afterAll(async () => {
  await checker.close();
  await rm(root, { recursive: true, force: true });
});

async function check(code: string): Promise<string[]> {
  return shown(await checker.check({ code, wrappers }, SIGNAL));
}

test('no form of reference or import reaches a file of the disk', async () => {
  for (const path of [
    `${root}/secret`,
    `${root}/secret.d.ts`,
    `/..${root}/secret`,
    `../../../../..${root}/secret`,
    `file://${root}/secret.d.ts`,
  ]) {
    const found = await check(
      `/// <reference path="${path}" />\nimport type { Secret } from "${path}";\nlet a: import("${path}").Secret;\nconst b: Secret["password"] = 1 as never;\nreturn [stolen, b];`,
    );
    expect(found.join('\n')).toContain("Cannot find name 'stolen'");
    expect(found.filter((text) => text.includes('TS2307')).length).toBeGreaterThan(0);
    expect(found.join('\n')).not.toContain('hunter2');
  }
});

test('configuration, @types and packages that are not allowed are not there', async () => {
  expect((await check('/// <reference types="evil" />\nreturn stolen;')).join()).toContain("Cannot find name 'stolen'");
  expect((await check('import { password } from "forbidden";\nreturn password;')).join()).toContain("Cannot find module 'forbidden'");
  expect((await check('import x from "evil";\nreturn x;')).join()).toContain("Cannot find module 'evil'");
  expect((await check(`import s from "${root}/secret.json" with { type: "json" };\nreturn s;`)).join()).not.toContain('hunter2');
  expect((await check('return (function (a) { return document; })(1);')).join()).toContain('document');
});

test('an allowed library has its types and those of its dependencies, and brings nothing else', async () => {
  expect(await check('import { helper } from "allowed";\nreturn helper.helped.toFixed();')).toEqual([]);
  expect((await check('import { helper } from "allowed";\nreturn helper.nope;')).join()).toContain(
    "Property 'nope' does not exist on type 'Helper'",
  );
  expect((await check('import { helper } from "allowed";\nreturn [process, stolen, helper];')).join('\n')).toMatch(
    /'process'[^]*'stolen'/u,
  );
  expect((await check('import { Secret } from "allowed";\nreturn 1;')).join()).not.toBe('');
});

test('an allowed library without types is any', async () => {
  expect(await check('import x, { y } from "untyped";\nimport * as z from "untyped/sub";\nreturn [x.a.b, y(), z.c];')).toEqual([]);
});

test('only declarations and package.json of allowed packages can be read', () => {
  const types = new LibraryTypes(root, ['allowed']);
  expect(types.readFile('allowed/index.d.ts')).toContain('Helper');
  expect(types.readFile('helper/index.d.ts')).toBeUndefined();
  expect(types.readFile('allowed/package.json')).toContain('"allowed"');
  expect(types.readFile('allowed/.npmrc')).toBeUndefined();
  expect(types.readFile('allowed/linked.d.ts')).toBeUndefined();
  expect(types.readFile('allowed/../forbidden/index.d.ts')).toBeUndefined();
  expect(types.readFile('forbidden/index.d.ts')).toBeUndefined();
  expect(types.directoryExists('forbidden')).toBe(false);
});
