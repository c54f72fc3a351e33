import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Bundler } from '../../src/bundle/bundler.ts';
import { freeName } from '../../src/bundle/free-name.ts';
import { bundleCode, errorOf, openBundler, runScript } from './fixture.ts';

/**
 * esbuild tells every error and warning, each with its line: thousands of them in one long line are gigabytes, and seconds of everybody's bundler.
 * Such texts are refused before they get there, in its place.
 */
const SIZE = 30_000;
const fill = (part: string): string => part.repeat(Math.floor(SIZE / part.length));
const MAKES_ENUM = 'enum Forces { esbuild }';

let bundler: Bundler;
let service: string;
beforeAll(async () => {
  bundler = openBundler({ libraries: [] });
  await bundleCode(bundler, `${MAKES_ENUM} return 1`);
  service = services();
});
afterAll(() => bundler.close());

/** The ids of esbuild's processes of this test. */
function services(): string {
  const table = execFileSync('ps', ['-o', 'pid=,args=', '--ppid', String(process.pid)], { encoding: 'utf8' });
  return table
    .split('\n')
    .filter((line) => line.includes('esbuild'))
    .map((line) => Number.parseInt(line, 10))
    .join();
}

describe('a text of nothing but errors in one line is refused, and the bundler is not replaced', () => {
  test.each([
    ['names declared again', fill('let a;')],
    ['names imported again', fill('import{log}from"ampoule";')],
    ['constants assigned to', `const a=1;${fill('a=1;')}`],
    ['constants counted up', `const a=1;${fill('a++;')}`],
    ['constants in patterns', `const a=1;${fill('[a]=a;')}`],
    ['constants in loops', `const a=1;${fill('for(a of a);')}`],
    ['imports assigned to', `import{log}from"ampoule";${fill('log=1;')}`],
    ['members of modules assigned to', `import*as l from"ampoule";${fill('l.a=1;')}`],
    ['members of modules deleted', `import*as l from"ampoule";${fill('delete l.a;')}`],
    ['classes assigned to', `class A{m(){${fill('A=1;')}}}`],
    ['names deleted', fill('delete a;')],
    ['octals', fill('010;')],
    ['with', fill('with(a);')],
    ['labels that there are not', fill('break q;')],
    ['labels twice', fill('a:a:1;')],
    ['new.target', fill('new.target;')],
    ['super', fill('super.a;')],
    ['private names that there are not', `class A{m(){${fill('this.#q;')}}}`],
    ['private names twice', `class A{${fill('#a;')}}`],
    ['constructors', `class A{${fill('constructor(){}')}}`],
    ['prototypes', `x={${fill('__proto__:1,')}}`],
    ['members of an enum', `enum E{${fill('a,')}}`],
    ['flags of regular expressions', fill('/a/gg;')],
    ['parameters twice', fill('(a,a)=>1;')],
    ['parameter decorators', `class A{${fill('m(@d x){}')}}`],
    ['constants without a value', fill('const a;')],
    ['let as a name', fill('let let;')],
    ['errors in a namespace', `namespace A{${fill('let a;')}}`],
    ['errors in fifty namespaces', `namespace A{${'let a;'.repeat(400)}}`.repeat(40)],
    ['optional assignments, which no parser reads past', fill('a?.b=1;')],
    ['mixed operators, which no parser reads past', fill('a??b||c;')],
    ['decorators of nothing', fill('@a 1;')],
    ['HTML comments', fill('<!--\n')],
    ['names that are imported and not there', `import{${Array.from({ length: 9_000 }, (_, i) => `q${i}`).join()}}from"ampoule";`],
  ])('%s', async (_what, code) => {
    const from = performance.now();
    const { code: failure, details } = await errorOf(bundleCode(bundler, `${MAKES_ENUM} ${code}`));
    expect(['ERR_BUNDLE_SYNTAX', 'ERR_BUNDLE_IMPORT', 'ERR_BUNDLE_FORM']).toContain(failure);
    expect(details.diagnostics?.length).toBeLessThanOrEqual(10);
    expect(performance.now() - from).toBeLessThan(4_500);
    expect(services()).toBe(service);
  });
});

describe('a text of nothing but what esbuild warns of bundles at once', () => {
  test.each([
    ['impossible types', fill('typeof a==="x";')],
    ['comparisons with NaN', fill('a===NaN;')],
    ['cases twice', `switch(a){${fill('case 1:')}}`],
    ['keys twice', `x={${fill('a:1,')}}`],
    ['members twice', `class A{${fill('a;')}}`],
    ['new objects compared', fill('a===[];')],
    ['negations before in', fill('!a in b;')],
    ['negative zeros', fill('a===-0;')],
    ['direct evals', fill('eval("a");')],
    ['exports of a module that there are not', `import*as l from"ampoule";var q=l;${fill('l.q;')}`],
  ])('%s', async (_what, code) => {
    await expect(bundleCode(bundler, `${MAKES_ENUM} ${code}`)).resolves.toBeDefined();
    expect(services()).toBe(service);
  });
});

describe('what is little is told in esbuild’s words, as ever', () => {
  test.each([
    ['let a;\nlet a;', /The symbol "a" has already been declared/u],
    ['import { nope } from "ampoule";\nreturn nope', /"ampoule" has no export "nope"/u],
    ['return new.target', /^Cannot use "new.target" here\.$/u],
  ])('%s', async (code, message) => {
    await expect(bundleCode(bundler, `${MAKES_ENUM}\n${code}`)).rejects.toThrow(message);
  });

  test('a long program of many lines with a few hundred faults is, too', async () => {
    const code = `const a = 1;\n${'console.log("a line of a program");\n'.repeat(3_000)}${'a = 2;\n'.repeat(20)}break q;`;
    await expect(errorOf(bundleCode(bundler, `${MAKES_ENUM}\n${code}`))).resolves.toMatchObject({
      message: expect.stringContaining('Cannot assign to "a"'),
    });
  });
});

describe('the texts of enums', () => {
  const letters = 'x'.repeat(1_000);
  test.each([
    [
      'that double with each member',
      `enum E{a="${letters}",${Array.from({ length: 22 }, (_, i) => `a${i}=${i ? `a${i - 1}` : 'a'}+${i ? `a${i - 1}` : 'a'}`).join()}}`,
    ],
    ['that grow in templates', `enum E{a="${letters}",b=\`${'${E.a}'.repeat(50)}\`,c=\`${'${E.b}'.repeat(50)}\`}`],
    ['in a thousand places', `enum E{a="${letters}"}x=[${'E.a,'.repeat(1_100)}]`],
    ['in a thousand places, by index', `const enum E{"a b"="${letters}"}x=[${'E["a b"],'.repeat(1_100)}]`],
  ])('%s are too many', async (_what, code) => {
    const { code: failure, details } = await errorOf(bundleCode(bundler, code));
    expect([failure, details.location?.line]).toEqual(['ERR_BUNDLE_TOO_LARGE', 1]);
    expect(services()).toBe(service);
  });

  test('that are just under the limit bundle', async () => {
    const bundle = await bundleCode(
      bundler,
      `enum E { a = "${letters}" }\nconst all = [${'E.a,'.repeat(990)}];\nreturn all.length + all[0].length`,
    );
    expect(await runScript(bundle)).toBe(1_990);
  });
});

test.each([
  ['let $result', '$result_'],
  ['let $result, $result__', '$result___'],
  ['let $res\\u0075lt', '$result_'],
  ['let \\u{0024}result\\u005f', '$result__'],
  ['nothing', '$result'],
])('a name of ours is in no text, however it is written: %s', (text, name) => {
  expect(freeName('$result', text)).toBe(name);
});

test('a name of ours is found at once in a text that has thousands of it', () => {
  const text = Array.from({ length: 700 }, (_, i) => `$result${'_'.repeat(i)}`).join(' ');
  const from = performance.now();
  expect(freeName('$result', text)).toBe(`$result${'_'.repeat(700)}`);
  expect(performance.now() - from).toBeLessThan(200);
});
