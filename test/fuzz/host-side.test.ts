import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, expect } from 'vitest';
import { createCallTable, type OutgoingCall } from '../../host-functions/call-tool.ts';
import { HostFunctionError } from '../../host-functions/host-error.ts';
import { readKeptResult } from '../../host-functions/kept-result.ts';
import { createLog } from '../../host-functions/log.ts';
import { readMountedFile } from '../../host-functions/read-file.ts';
import { property } from './property.ts';

const root = mkdtempSync(join(tmpdir(), 'ampoule-fuzz-host-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const mount = join(root, 'mount');
mkdirSync(join(mount, 'dir', 'deep'), { recursive: true });
mkdirSync(join(root, 'mount-2'));
writeFileSync(join(root, 'secret.txt'), 'secret');
writeFileSync(join(root, 'mount-2', 'a.txt'), 'secret beside it');
writeFileSync(join(mount, 'a.txt'), 'open a');
writeFileSync(join(mount, 'dir', 'b.txt'), 'open b');
writeFileSync(join(mount, 'dir', 'deep', 'ü.txt'), 'open ü');
for (const [name, target] of [
  ['out', '../secret.txt'],
  ['up', '..'],
  ['beside', '../mount-2'],
  ['loop', 'loop'],
  ['in', 'dir/b.txt'],
  ['dir-in', 'dir'],
] as const) {
  symlinkSync(target, join(mount, name));
}
const KEPT_ID = 'a'.repeat(32);
const results = join(root, 'results');
mkdirSync(results);
const KEPT = '[1,"ü🍀",{"a":[2]},4]';
writeFileSync(join(results, KEPT_ID), KEPT);
writeFileSync(
  join(results, `${KEPT_ID}.json`),
  JSON.stringify({
    version: 1,
    mimeType: 'application/json',
    bytes: Buffer.byteLength(KEPT),
    unit: 'items',
    total: 4,
    marks: [],
    expiresAt: 2 ** 50,
  }),
);

const name = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      'a.txt',
      'dir',
      'b.txt',
      'deep',
      'ü.txt',
      'u\u0308.txt',
      'out',
      'up',
      'beside',
      'loop',
      'in',
      'dir-in',
      '..',
      '.',
      '',
      'secret.txt',
      'mount',
      'mount-2',
      'root',
      '%2e%2e',
      '..\\',
      'a.txt\0',
      '~',
      'C:',
      'constructor',
      '__proto__',
      root.slice(1),
    ),
  },
  fc.string({ unit: 'binary', maxLength: 6 }),
);
const path = fc.oneof(
  { weight: 5, arbitrary: fc.array(name, { maxLength: 5 }).map((names) => ['m', ...names].join('/')) },
  fc.array(name, { maxLength: 4 }).map((names) => names.join('/')),
  fc.string({ unit: 'binary' }),
);
const CODES = ['ERR_FILE_PATH', 'ERR_FILE_NOT_FOUND', 'ERR_FILE_DENIED', 'ERR_FILE_TOO_LARGE'];

property(
  'no path leads out of a mount, and no error tells where it is',
  600,
  fc.tuple(path, fc.oneof(fc.constant(100), fc.nat(10))),
  ([asked, maxBytes]) => {
    try {
      expect(Buffer.from(readMountedFile(new Map([['m', mount]]), asked, maxBytes)).toString()).toMatch(/^open /u);
    } catch (thrown) {
      if (!(thrown instanceof HostFunctionError)) throw thrown;
      const told = thrown.toJsonText();
      expect(CODES).toContain((JSON.parse(told) as { code: string }).code);
      // What the program asked for comes back to it.
      if (!asked.includes(root.slice(1))) expect(told).not.toContain(root);
    }
  },
);

const query = fc.oneof(
  fc
    .record(
      {
        offset: fc.oneof(fc.nat(6), fc.string()),
        limit: fc.oneof(fc.nat(6), fc.string()),
        unit: fc.constantFrom('bytes', 'items', '__proto__'),
      },
      { requiredKeys: [] },
    )
    .map(
      (parts) =>
        `?${Object.entries(parts)
          .map((pair) => pair.join('='))
          .join('&')}`,
    ),
  fc.string({ unit: 'binary' }).map((text) => `?${text}`),
  fc.constant(''),
);
const keptPath = fc
  .tuple(
    fc.oneof(
      { weight: 6, arbitrary: fc.constant(KEPT_ID) },
      fc.constantFrom(`../${KEPT_ID}`, `${KEPT_ID}.json`, KEPT_ID.toUpperCase(), '../secret.txt'),
      fc.string(),
    ),
    query,
  )
  .map((parts) => parts.join(''));

property(
  'any piece of a kept result is a part of it, or refused with a code',
  400,
  fc.tuple(keptPath, fc.oneof(fc.constant(1_000), fc.nat(30))),
  ([asked, maxBytes]) => {
    try {
      const piece = Buffer.from(readKeptResult(results, asked, maxBytes));
      // The brackets of a list come on top, and a piece has at least one character.
      expect(piece.length).toBeLessThanOrEqual(Math.max(maxBytes, 4) + 2);
      const text = piece.toString();
      if (KEPT.includes(text)) return;
      const items = JSON.parse(text) as unknown[];
      const whole = (JSON.parse(KEPT) as unknown[]).map((item) => JSON.stringify(item));
      for (const item of items) expect(whole).toContain(JSON.stringify(item));
    } catch (thrown) {
      if (!(thrown instanceof HostFunctionError)) throw thrown;
      expect(['ERR_RESULT_UNKNOWN', 'ERR_FILE_PATH', 'ERR_FILE_TOO_LARGE']).toContain(
        (JSON.parse(thrown.toJsonText()) as { code: string }).code,
      );
      expect(thrown.toJsonText()).not.toContain(root);
    }
  },
);

const line = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.string({ unit: fc.constantFrom('a', 'ü', '🍀', '\ud800', '\n', '\u001b', '\u202e', '\r'), maxLength: 60 }),
  fc.nat(400).map((count) => `data: "${'QUJD'.repeat(count)}"`),
);

property(
  'a log never has more bytes than it may, nor anything that moves a cursor',
  400,
  fc.tuple(fc.nat(300), fc.array(fc.tuple(fc.oneof(fc.constantFrom('info', 'warn', '__proto__'), fc.string()), line), { maxLength: 12 })),
  ([maxBytes, lines]) => {
    const log = createLog(maxBytes);
    for (const [level, message] of lines) log.append(level, message);
    const bytes = log.entries.reduce((sum, { message }) => sum + Buffer.byteLength(message), 0);
    expect(bytes).toBeLessThanOrEqual(maxBytes);
    expect(log.droppedBytes).toBeGreaterThanOrEqual(0);
    for (const { level, message } of log.entries) {
      expect(['debug', 'info', 'warn', 'error']).toContain(level);
      expect(message.isWellFormed()).toBe(true);
      // oxlint-disable-next-line no-control-regex -- these must not be there
      expect(message).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/u);
    }
  },
);

const steps = fc.array(
  fc.oneof(
    fc.record({ begin: fc.string({ maxLength: 4 }), argument: fc.string({ maxLength: 20 }) }),
    fc.record({ settle: fc.oneof(fc.nat(8), fc.integer()), ok: fc.boolean() }),
  ),
  { maxLength: 30 },
);

property(
  'calls are numbered, sent in order, never too many at once, and answered once',
  400,
  fc.tuple(steps, fc.nat(6), fc.integer({ min: 1, max: 3 })),
  ([list, maxToolCalls, maxConcurrentToolCalls]) => {
    const sent: OutgoingCall[] = [];
    const answered = new Set<number>();
    const table = createCallTable({
      maxToolCalls,
      maxConcurrentToolCalls,
      maxToolArgumentBytes: 16,
      send: (call) => sent.push(call),
      onLimit: () => undefined,
    });
    let begun = 0;
    for (const step of list) {
      if ('begin' in step) {
        const fits = begun < maxToolCalls && Buffer.byteLength(step.argument) <= 16;
        let number: number | undefined;
        try {
          number = table.begin(step.begin, 't', step.argument);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(HostFunctionError);
        }
        expect(number).toBe(fits ? begun + 1 : undefined);
        if (fits) begun++;
      } else {
        const isRunning = sent.some(({ number }) => number === step.settle) && !answered.has(step.settle);
        expect(table.settle(step.settle, step.ok)).toBe(isRunning);
        if (isRunning) answered.add(step.settle);
      }
      expect(sent.map(({ number }) => number)).toEqual(sent.map((_, index) => index + 1));
      expect(sent.length - answered.size).toBeLessThanOrEqual(maxConcurrentToolCalls);
      expect(table.running).toBe(begun - answered.size);
      expect(table.records().length).toBe(begun);
    }
  },
);
