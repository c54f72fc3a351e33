import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Checker } from '../../src/check/checker.ts';
import type { Catalog } from '../../src/upstream/catalog.ts';
import { CATALOG, checkerPids, openChecker, shown, SIGNAL, wrappersOf } from './fixture.ts';

const wrappers = await wrappersOf(CATALOG);
let checker: Checker;
beforeEach(() => {
  checker = openChecker();
});
afterEach(() => checker.close());

/** Each line takes TypeScript to its limit of instantiations, which it counts anew for the next one. */
const LONG = `type F<T extends number, A extends unknown[] = []> = A["length"] extends T ? A : F<T, [...A, 0]>;\n${Array.from({ length: 60 }, (_, at) => `let x${at}: F<${9000 + at}>;`).join('\n')}`;

const BOMBS: Record<string, string> = {
  'one limit after another': LONG,
  'endless recursion':
    'type F<T extends number, A extends unknown[] = []> = A["length"] extends T ? A : F<T, [...A, 0]>;\nlet x: F<99999>;\nreturn x!;',
  'recursion that branches':
    'type B<N extends number, A extends 0[] = []> = A["length"] extends N ? 0 : [B<N, [...A, 0]>, B<N, [0, ...A]>, B<N, [...A, 0]> | 1];\ntype X = B<30>;\nlet x: X = 1;\nreturn x;',
  'a huge union':
    'type D = 0|1|2|3|4|5|6|7|8|9;\ntype U = `${D}${D}${D}${D}`;\ntype V = { [K in U]: { [L in U]: `${K}${L}` } };\nlet v: V[U][U];\nreturn v!;',
  'unions against unions':
    'type D = 0|1|2|3|4|5|6|7|8|9;\ntype U = `${D}${D}${D}${D}`;\ntype O = U extends infer X ? { k: X; v: U } : never;\ndeclare const a: O;\nconst b: { k: U; v: 1 } | { k: 1; v: U } | O[] = a;\nreturn b;',
  'recursive mapped types':
    'type J<T> = { [K in keyof T]: J<J<{ a: T[K]; b: J<T> }>> };\ntype K1<T> = J<J<J<T>>>;\ndeclare let a: K1<{ a: { b: { c: string } } }>;\ndeclare let b: K1<{ a: { b: { c: number } } }>;\nb = a; a = b;\nreturn b.a.a.a.a;',
  'much text': `const a = {${Array.from({ length: 8000 }, (_, at) => `k${at}: { v: ${at}, w: [${at}] }`).join(',')}};\nconst b: typeof a & { z: 1 } = a;\nreturn b;`,
  'deep nesting': `return ${'('.repeat(20_000)}1${')'.repeat(20_000)};`,
  'deep types': `let a: ${'['.repeat(5000)}${']'.repeat(5000)};\nreturn a!;`,
};

describe('type bombs', () => {
  test.each(Object.entries(BOMBS))('%s ends in time, and the next check works', { timeout: 10_000 }, async (_, code) => {
    await checker.warm(wrappers);
    const start = performance.now();
    const outcome = await checker.check({ code, wrappers }, SIGNAL).then(
      () => 'ERR_CHECK_TYPES',
      (error: { code: string }) => error.code,
    );
    expect(performance.now() - start).toBeLessThan(2600);
    expect(['ERR_CHECK_TYPES', 'ERR_CHECK_TIMEOUT', 'ERR_CHECK_FAILED']).toContain(outcome);
    expect(shown(await checker.check({ code: 'const a: string = 1;\nreturn a;', wrappers }, SIGNAL))).toHaveLength(1);
  });

  test('one that is over its time is an error with a code, others go on beside it', { timeout: 10_000 }, async () => {
    await using short = openChecker({ timeoutMs: 600 });
    await short.warm(wrappers);
    const bomb = short.check({ code: LONG, wrappers }, SIGNAL);
    bomb.catch(() => undefined);
    const start = performance.now();
    await short.check({ code: 'return 1;', wrappers }, SIGNAL);
    expect(performance.now() - start).toBeLessThan(590);
    await expect(bomb).rejects.toMatchObject({
      code: 'ERR_CHECK_TIMEOUT',
      message: 'Checking the types of the code took longer than 600 ms.',
    });
    expect(shown(await short.check({ code: 'return nope;', wrappers }, SIGNAL))).toHaveLength(1);
  });
});

describe('the process', () => {
  test('killed while it is idle, it is replaced', async () => {
    await checker.warm(wrappers);
    for (const pid of checkerPids()) process.kill(pid, 'SIGKILL');
    expect(shown(await checker.check({ code: 'return nope;', wrappers }, SIGNAL))).toHaveLength(1);
  });

  test('killed in the middle of a check, the check is done again', async () => {
    await checker.warm(wrappers);
    const before = checkerPids();
    const checks = Array.from({ length: 10 }, (_, at) => checker.check({ code: `return nope${at};`, wrappers }, SIGNAL));
    for (const pid of before) process.kill(pid, 'SIGKILL');
    expect((await Promise.all(checks)).map(({ diagnostics }) => diagnostics.length)).toEqual(Array.from({ length: 10 }, () => 1));
    expect(checkerPids()).not.toEqual(before);
  });

  test('killed again and again, the check fails with a code', async () => {
    const killer = setInterval(() => checkerPids().forEach((pid) => process.kill(pid, 'SIGKILL')), 1);
    try {
      await expect(checker.check({ code: BOMBS['much text'] ?? '', wrappers }, SIGNAL)).rejects.toMatchObject({ code: 'ERR_CHECK_FAILED' });
    } finally {
      clearInterval(killer);
    }
  });

  test('after close there is none, and no check', async () => {
    await checker.warm(wrappers);
    expect(checkerPids()).toHaveLength(1);
    const running = checker.check({ code: LONG, wrappers }, SIGNAL);
    running.catch(() => undefined);
    await sleep(20);
    await checker.close();
    await expect(running).rejects.toMatchObject({ code: 'ERR_CHECK_FAILED' });
    expect(checkerPids()).toEqual([]);
    await expect(checker.check({ code: 'return 2;', wrappers }, SIGNAL)).rejects.toMatchObject({ code: 'ERR_CHECK_FAILED' });
  });

  test('it ends when its parent is killed, also in the middle of a bomb', { timeout: 15_000 }, async () => {
    const parent = spawn(process.execPath, [fileURLToPath(new URL('lonely-parent.ts', import.meta.url)), LONG], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      await once(parent.stdout, 'data');
      await sleep(100);
      const [pid] = checkerPids(parent.pid);
      expect(pid).toBeDefined();
      parent.kill('SIGKILL');
      await expect.poll(() => isAlive(pid ?? 0), { timeout: 5000 }).toBe(false);
    } finally {
      parent.kill('SIGKILL');
    }
  });

  test('it ends when its parent is killed while it waits for an answer of its parent', { timeout: 15_000 }, async () => {
    const entry = fileURLToPath(new URL('asked-parent.ts', import.meta.url));
    const parent = spawn(process.execPath, [entry], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [[text], [, signal]] = await Promise.all([once(parent.stdout, 'data'), once(parent, 'exit')]);
    expect([signal, Number(text) > 0]).toEqual(['SIGKILL', true]);
    await expect.poll(() => isAlive(Number(text)), { timeout: 5000 }).toBe(false);
  });

  test('a parent that has nothing else to do lives to see its end', { timeout: 15_000 }, async () => {
    const entry = fileURLToPath(new URL('closing-parent.ts', import.meta.url));
    for (let time = 0; time < 3; time++) {
      const { stdout, stderr } = await promisify(execFile)(process.execPath, [entry], { timeout: 10_000 });
      expect([stdout, stderr]).toEqual(['closed\n', '']);
    }
  });

  test('it has nothing of our environment', async () => {
    process.env['AMPOULE_TEST_SECRET'] = 'secret-value';
    await checker.warm(wrappers);
    const [pid] = checkerPids();
    expect(readFileSync(`/proc/${pid}/environ`, 'utf8')).not.toMatch(/secret-value|PATH=|HOME=/u);
  });
});

test('twenty checks at once each get their own answer', async () => {
  const codes = Array.from({ length: 20 }, (_, at) => (at % 2 === 0 ? `return ${at};` : `const a: string = ${at};\nreturn name${at};`));
  const reports = await Promise.all(codes.map((code) => checker.check({ code, wrappers }, SIGNAL)));
  for (const [at, report] of reports.entries()) {
    expect(shown(report).filter((text) => text.includes(`name${at}'`))).toHaveLength(at % 2);
    expect(report.diagnostics).toHaveLength(at % 2 === 0 ? 0 : 2);
  }
});

test('wrappers that change are picked up, and the old ones are gone', async () => {
  const [github, mail] = CATALOG.servers;
  const renamed = {
    servers: [{ ...github, tools: [{ name: 'find_issues', inputSchema: { type: 'object', properties: { repo: { type: 'number' } } } }] }],
  };
  const other = await wrappersOf(renamed as Catalog);
  const old = 'import * as github from "servers/github";\nreturn github.listIssues({ repo: "a" });';
  const mailing = 'import { send } from "servers/mail";\nreturn send({ to: "a" });';
  expect(shown(await checker.check({ code: old, wrappers }, SIGNAL))).toEqual([]);
  expect(shown(await checker.check({ code: mailing, wrappers }, SIGNAL))).toEqual([]);
  expect(shown(await checker.check({ code: old, wrappers: other }, SIGNAL)).join()).toContain('findIssues');
  expect(shown(await checker.check({ code: mailing, wrappers: other }, SIGNAL)).join()).toContain("Cannot find module 'servers/mail'");
  expect(shown(await checker.check({ code: old.replace('listIssues', 'findIssues'), wrappers: other }, SIGNAL)).join()).toContain(
    "Type 'string' is not assignable to type 'number'",
  );
  const more = await wrappersOf({ servers: [...(github ? [github] : []), ...(mail ? [mail, { ...mail, name: 'post' }] : [])] });
  expect(shown(await checker.check({ code: mailing.replace('mail', 'post'), wrappers: more }, SIGNAL))).toEqual([]);
  expect(shown(await checker.check({ code: `${old}\nvoid 0;`, wrappers: more }, SIGNAL))).toEqual([]);
});

test('a check that nobody waits for any more ends at once, and the next one works', async () => {
  await checker.warm(wrappers);
  const controller = new AbortController();
  const reason = new Error('gone');
  const running = checker.check({ code: BOMBS['huge union'] ?? 'return 3;', wrappers }, controller.signal);
  controller.abort(reason);
  await expect(running).rejects.toBe(reason);
  expect(shown(await checker.check({ code: 'return nope;', wrappers }, SIGNAL))).toHaveLength(1);
});

test('five hundred sources leave its memory where it was', { timeout: 20_000 }, async () => {
  const code = (at: number): string =>
    `interface R${at} { a: number; b${at}: string }\nconst r: R${at}[] = [];\nreturn r.map((x) => x.b${at}).concat("${'x'.repeat(2000)}");`;
  for (let at = 0; at < 150; at += 1) await checker.check({ code: code(at), wrappers }, SIGNAL);
  const before = resident();
  for (let at = 150; at < 500; at += 1) await checker.check({ code: code(at), wrappers }, SIGNAL);
  expect(resident() - before).toBeLessThan(64 * 1024);
});

/** Kilobytes of the checker's process. */
function resident(): number {
  const [pid] = checkerPids();
  return Number(/VmRSS:\s+(\d+)/u.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/mu.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

test('white space without end behind the word of an import holds nobody up', async () => {
  await using checker = openChecker();
  await checker.check({ code: '', wrappers }, SIGNAL);
  const began = performance.now();
  const code = `const from = 1;\nfrom${' '.repeat(200_000)}+ 1;`;
  expect((await checker.check({ code, wrappers }, SIGNAL)).diagnostics).toEqual([]);
  expect(performance.now() - began).toBeLessThan(2000);
});
