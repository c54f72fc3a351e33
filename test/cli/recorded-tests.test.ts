import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RecordingSandbox } from './recording-sandbox.ts';
import { cli } from './run-cli.ts';

let recorder: RecordingSandbox;
const codes = {
  plain: 'import { post } from "servers/web"; return (await post({ a: 1, b: 2 })).posted;',
  files:
    'import { readFile } from "ampoule"; return [await readFile("data/prices.csv"), await readFile("data/x/none.csv").catch((error) => error.message)];',
  thrown: 'console.log("on"); throw new Error("no");',
};
const ids: Record<string, string> = {};
let folder = '';
beforeAll(async () => {
  recorder = await RecordingSandbox.open({ 'prices.csv': 'tea,3\n' });
  folder = join(recorder.outside, 'tests');
  const { kept } = await recorder.run('return Array.from({ length: 9000 }, (_, n) => ({ n }));');
  const result = `import { readFile } from "ampoule"; return await readFile("${kept?.[0]?.uri}?offset=10&limit=2");`;
  for (const [name, code] of Object.entries({ ...codes, result })) {
    const { executionId } = await recorder.run(code);
    ids[name] = executionId;
    const { stdout, stderr } = await recorder.ampoule(['replay', executionId, '--save', 'tests']);
    if (!stdout.includes(`Saved as ${join(folder, executionId)}`)) throw new Error(stdout + stderr);
  }
});
afterAll(() => recorder[Symbol.asyncDispose]());

test('recordings pass, from any folder and without anything that they were recorded with', async () => {
  const elsewhere = join(recorder.outside, 'elsewhere');
  await cp(folder, join(elsewhere, 'copied'), { recursive: true });
  await rename(join(recorder.outside, 'data', 'prices.csv'), join(recorder.outside, 'away'));
  await rm(join(recorder.sandbox.directory, 'cache', 'results'), { recursive: true });
  try {
    expect(await recorder.ampoule(['test', 'copied'], elsewhere)).toEqual({
      code: 0,
      stdout: '4 of 4 recordings as recorded.\n',
      stderr: '',
    });
    expect(await recorder.ampoule(['test', join('copied', String(ids['files']))], elsewhere)).toMatchObject({
      code: 0,
      stdout: '1 recording: as recorded.\n',
    });
    const json = JSON.parse((await recorder.ampoule(['test', 'copied', '--json'], elsewhere)).stdout) as object[];
    expect(json).toHaveLength(4);
    expect(json[0]).toMatchObject({
      recording: expect.stringMatching(/^copied.exe_/),
      sameEngine: true,
      status: 'same',
      differences: [],
    });
  } finally {
    await rename(join(recorder.outside, 'away'), join(recorder.outside, 'data', 'prices.csv'));
  }
});

test('recordings hold what was sent, and nothing half written is left', async () => {
  expect((await readdir(folder)).toSorted()).toEqual(Object.values(ids).toSorted());
  expect(await readFile(join(folder, String(ids['plain']), 'program.ts'), 'utf8')).toBe(`${codes.plain}\n`);
  expect(await readFile(join(folder, String(ids['files']), 'files', 'data', 'prices.csv'), 'utf8')).toBe('tea,3\n');
  for (const id of Object.values(ids)) {
    const text = await readFile(join(folder, id, 'recording.json'), 'utf8');
    for (const path of [recorder.outside, recorder.sandbox.directory]) expect(text).not.toContain(path);
  }
});

test('recordings are not overwritten', async () => {
  const again = await recorder.ampoule(['replay', String(ids['plain']), '--save', 'tests']);
  expect(again).toMatchObject({ code: 1, stderr: expect.stringMatching(/ERR_CLI_FILE[^]*is there already[^]*remove it/) });
  const file = await recorder.ampoule(['replay', String(ids['plain']), '--save', join('data', 'prices.csv')]);
  expect(file).toMatchObject({ code: 1, stderr: expect.stringMatching(/ERR_CLI_FILE[^]*cannot be written/) });
  expect(await readFile(join(recorder.outside, 'data', 'prices.csv'), 'utf8')).toBe('tea,3\n');
});

test('recordings that fail are told by name, the others are counted', async () => {
  const copy = join(recorder.outside, 'failing');
  await cp(folder, copy, { recursive: true });
  const script = join(copy, String(ids['plain']), 'program.js');
  await writeFile(script, (await readFile(script, 'utf8')).replace(/b: ?2/, 'b:3'));
  const { code, stdout } = await recorder.ampoule(['test', 'failing']);
  expect({ code, stdout }).toEqual({
    code: 1,
    stdout: [
      `✗ ${join('failing', String(ids['plain']))}`,
      '  arguments of call 1 (web.post)',
      '    recorded  {"a":1,"b":2}',
      '    replayed  {"a":1,"b":3}',
      '3 of 4 recordings as recorded.',
      '',
    ].join('\n'),
  });
});

test('recordings that are broken are refused with file and field', async () => {
  const copy = join(recorder.outside, 'broken');
  await cp(join(folder, String(ids['plain'])), copy, { recursive: true });
  const file = join(copy, 'recording.json');
  const good = await readFile(file, 'utf8');
  const refused = async (text: string): Promise<string> => {
    await writeFile(file, text);
    const { code, stdout, stderr } = await recorder.ampoule(['test', 'broken']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('ERR_CLI_FILE');
    return stderr;
  };
  expect(await refused(good.slice(0, -20))).toContain('recording.json: it is no JSON');
  expect(await refused(good.replace('"version": 1', '"version": 2'))).toContain('recording.json: version: ');
  expect(await refused(good.replace('"seed": "', '"seed": "z'))).toContain('recording.json: seed: ');
  expect(await refused(good.replace('"server": "web"', '"server": 7'))).toContain('recording.json: calls.0.server: ');
  expect(await refused(JSON.stringify({ ...(JSON.parse(good) as object), expected: undefined }))).toContain('recording.json: expected: ');
  expect(await refused(JSON.stringify({ ...(JSON.parse(good) as object), mounts: ['..'] }))).toContain('recording.json: mounts.0: ');
  await writeFile(file, good);
  await rm(join(copy, 'program.js'));
  expect(await recorder.ampoule(['test', 'broken'])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('program.js: it is not there'),
  });
  const missing =
    /^ERR_CLI_FILE\n {2}The folder .*no-such cannot be read: it is not there\.\n {2}Write one with: ampoule replay <id> --save <folder>\n$/;
  expect(await recorder.ampoule(['test', 'no-such'])).toMatchObject({ code: 1, stderr: expect.stringMatching(missing) });
  await mkdir(join(recorder.outside, 'empty'));
  expect(await recorder.ampoule(['test', 'empty'])).toMatchObject({ code: 1, stderr: expect.stringContaining('holds no recording') });
});

test('recordings are a command of their own, beside a server that runs', async () => {
  const args = ['--config', recorder.config];
  expect(await cli(['test', folder, ...args])).toEqual({ code: 0, stdout: '4 of 4 recordings as recorded.\n', stderr: '' });
  const { code, stdout } = await cli(['replay', String(ids['thrown']), '--json', ...args]);
  expect({ code, ...(JSON.parse(stdout) as object) }).toMatchObject({ code: 0, status: 'same', outcome: { code: 'ERR_EXECUTE_THROWN' } });
});
