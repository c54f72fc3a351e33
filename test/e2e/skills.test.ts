import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LANES } from '../server/clients.ts';
import { answerOf, fixture, packaged, startAmpoule, type Ampoule } from './harness.ts';
import { until } from './processes.ts';
import { save, searched } from './skill-client.ts';

const SERVERS = { everything: packaged('everything'), shape: fixture('reshaping') };

const GREET = `import { echo } from "servers/everything";
export interface Greeting { text: string }
/** Greets by way of a tool. */
export async function greet(name: string): Promise<Greeting> {
  return { text: String(await echo({ message: "Hello " + name })) };
}
export function fail(): never {
  throw new RangeError("on purpose");
}
`;

describe('in mode "on"', () => {
  let ampoule: Ampoule;
  beforeAll(async () => void (ampoule = await startAmpoule({ mcpServers: SERVERS, skills: 'on' })));
  afterAll(() => ampoule.stop());

  describe.each(LANES)('%s', (lane) => {
    const name = `greet-${LANES.indexOf(lane)}`;

    test('saves, finds and imports a skill', async () => {
      const client = await ampoule.connect(lane);
      expect((await client.listTools()).tools.map((tool) => tool.name)).toContain('save_skill');
      expect(await save(client, name, GREET, 'Greets somebody by name')).toBe(
        `saved: ${name}, version 1, private\nimport { greet, fail } from "skills/${name}";`,
      );
      const found = await searched(client, 'greets somebody');
      expect(found).toContain(`import { greet, fail } from "skills/${name}";`);
      expect(found).toContain('greet(name: string): Promise<Greeting>');
      const code = `import { greet } from "skills/${name}";\nconst { text } = await greet("Ada"); return text.toUpperCase();`;
      const { output } = answerOf(await client.call({ code }));
      expect(output).toMatchObject({
        status: 'completed',
        result: 'ECHO: HELLO ADA',
        calls: [{ server: 'everything', tool: 'echo', ok: true }],
      });
      expect(output.warnings).toBeUndefined();
    });

    test('its types are checked in the program, and what it throws is told with its own lines', async () => {
      const client = await ampoule.connect(lane);
      const wrong = answerOf(await client.call({ code: `import { greet } from "skills/${name}";\nreturn (await greet(1)).text;` }));
      expect(wrong.output.error).toMatchObject({ code: 'ERR_CHECK_TYPES', location: { line: 2, column: 21 } });
      expect(wrong.output.error?.location).not.toHaveProperty('module');
      const thrown = answerOf(await client.call({ code: `import { fail } from "skills/${name}";\n\nconsole.log(1);\nfail();` }));
      expect(thrown.output.error).toMatchObject({
        code: 'ERR_EXECUTE_THROWN',
        message: 'RangeError: on purpose',
        location: { module: `skills/${name}`, line: 8, source: '  throw new RangeError("on purpose");' },
      });
      expect(thrown.output.error?.stack).toMatchObject([
        { module: `skills/${name}`, line: 8 },
        { line: 4, column: 1, source: 'fail();' },
      ]);
      expect(thrown.output.error?.stack?.[1]).not.toHaveProperty('module');
    });

    test('reads a skill as a resource', async () => {
      const client = await ampoule.connect(lane);
      const uri = `ampoule://skills/${name}.ts`;
      expect((await client.listResources()).resources).toContainEqual(
        expect.objectContaining({ uri, description: 'Greets somebody by name' }),
      );
      expect(await client.readResource(uri)).toMatchObject({ uri, text: GREET, mimeType: 'text/typescript' });
      await expect(client.readResource('ampoule://skills/none.ts')).rejects.toThrow(/There is no skill/u);
      await expect(client.readResource('ampoule://skills/..%2F..%2Fskills.db.ts')).rejects.toThrow(/There is no skill/u);
    });

    test('is refused what is no skill, with the place', async () => {
      const client = await ampoule.connect(lane);
      expect(await save(client, `wrong-${name}`, 'export const a: string = 1;')).toMatch(
        /^failed: ERR_CHECK_TYPES\n.*not assignable[^]*at line 1, column 14:\n[^]*hint: Correct the code and send it again; nothing was saved\.$/u,
      );
      expect(await save(client, `self-${name}`, `import { a } from "skills/self-${name}";\nexport const a = 1;`)).toMatch(
        /^failed: ERR_SKILL_INVALID\nThe skill "self-greet-\d" imports itself\.\nat line 1, column 19/u,
      );
      for (const bad of ['../../etc/passwd', 'a/b', '..', 'constructor', 'Greet']) {
        expect(await save(client, bad, 'export const a = 1;')).toMatch(/^failed: ERR_SKILL_NAME\n/u);
      }
      const unknown = answerOf(await client.call({ code: `import { greet } from "skills/greeet-${name.slice(-1)}"; return greet;` }));
      expect(unknown.output.error).toMatchObject({
        code: 'ERR_BUNDLE_IMPORT',
        message: expect.stringContaining(`Did you mean "skills/${name}"`),
      });
      const missing = await client.callTool('save_skill', { name, code: 1 });
      expect(missing).toMatchObject({
        isError: true,
        content: [{ text: expect.stringMatching(/^failed: ERR_SERVER_INPUT\n.*"description"[^\n]*\n.*"code"[^\n]*\nhint: /u) }],
      });
      expect(await searched(client, `wrong-${name}`)).not.toContain(`skills/wrong-${name}`);
    });
  });

  test('a program reads the text of a skill, and of none that there is not', async () => {
    const client = await ampoule.connect();
    await save(client, 'readable', 'export const value = 1;');
    const read = (name: string): string => `import { readFile } from "ampoule"; return readFile("skills/${name}");`;
    expect(await ampoule.result(read('readable.ts'))).toBe('export const value = 1;');
    expect((await ampoule.execute(read('readabel.ts'))).output.error).toMatchObject({
      message: expect.stringContaining('no file "skills/readabel.ts"'),
    });
    await save(
      client,
      'reader',
      'import { readFile } from "ampoule";\nexport const read = (name: string) => readFile(`skills/${name}.ts`);',
    );
    expect(await ampoule.result('import { read } from "skills/reader"; return read("readable");')).toBe('export const value = 1;');
    for (const path of ['../skills.db', '', 'x/../readable.ts']) {
      expect((await ampoule.execute(read(path))).output.error?.message).toContain('is not a path of a mounted file');
    }
  });

  test('what a skill remembers ends with the run', async () => {
    const client = await ampoule.connect();
    await save(
      client,
      'counting',
      'let count = 0;\nconst seen = new Set<number>();\nexport const next = (): number => { seen.add(count); return ++count + seen.size; };',
    );
    const code = 'import { next } from "skills/counting"; next(); return next();';
    expect([await ampoule.result(code), await ampoule.result(code), await ampoule.result(`${code} // another`)]).toEqual([4, 4, 4]);
  });

  test('a constant of a skill that never comes to be ends the run that imports it, and nothing else', async () => {
    const client = await ampoule.connect();
    await save(client, 'endless', 'export const never: number = (() => { for (;;); })();\nexport const thrown = 1;');
    const { output } = await ampoule.execute('import { never } from "skills/endless"; return never;', { limits: { timeoutMs: 300 } });
    expect(output.error?.code).toMatch(/^ERR_EXECUTE_(?:ACTIVE_TIME|FUEL)$/u);
    expect(await ampoule.result('return 2 + 2;')).toBe(4);
  });

  test('many that save at once each get a version of their own', async () => {
    const client = await ampoule.connect();
    const answers = await Promise.all(Array.from({ length: 12 }, (_, n) => save(client, 'crowded', `export const value = ${n};`)));
    const versions = answers.map((text) => Number(/version (\d+)/u.exec(text)?.[1]));
    expect(versions.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, n) => n + 1));
    const last = answers.findIndex((text) => text.includes('version 12,'));
    expect(await ampoule.result('import { value } from "skills/crowded"; return value;')).toBe(last);
  });

  test('a new version is used by the next program, also of the same text', async () => {
    const client = await ampoule.connect();
    const code = 'import { value } from "skills/changing"; return value;';
    await save(client, 'changing', 'export const value = 1;');
    expect(await ampoule.result(code)).toBe(1);
    expect(await save(client, 'changing', 'export const value = 2;')).toContain('version 2');
    expect(await ampoule.result(code)).toBe(2);
  });

  test('a skill whose tool changed says so, and its code is checked against what the tool is now', async () => {
    const client = await ampoule.connect();
    await save(client, 'steady', 'import { reshape } from "servers/shape";\nexport const again = () => reshape();');
    await save(
      client,
      'looking',
      'import { look } from "servers/shape";\nexport const seen = () => look({ name: "x" });\nexport const other = 1;',
    );
    const code = 'import { other } from "skills/looking"; return other;';
    expect(await ampoule.result(code)).toBe(1);
    await ampoule.result('import { again } from "skills/steady"; return again();');
    await until('the new wrappers are there', async () => (await ampoule.execute(code)).output.status === 'failed', 10_000);
    const { output } = await ampoule.execute(code);
    expect(output.error).toMatchObject({
      code: 'ERR_CHECK_TYPES',
      message: expect.stringMatching(/^The skill "looking": .*'name' does not exist/u),
      location: { module: 'skills/looking', line: 2 },
      hint: expect.stringContaining('Save a corrected version of "skills/looking" with save_skill, or do without it.'),
    });
    expect(await searched(client, 'looking')).toContain('shape.look changed since it was saved');
    // Corrected, it is as good as new.
    await save(
      client,
      'looking',
      'import { look } from "servers/shape";\nexport const seen = () => look({ name1: "x" });\nexport const other = 1;',
    );
    expect((await ampoule.execute(code)).output).toMatchObject({ status: 'completed', result: 1 });
    expect(await searched(client, 'looking')).not.toContain('changed since');
  });

  test('another program that the change does not break runs, with a warning', async () => {
    const client = await ampoule.connect();
    await save(
      client,
      'loose',
      'import { callTool } from "ampoule";\nexport const seen = () => callTool("shape", "look", { name1: "x" });',
    );
    const code = 'import { seen } from "skills/loose"; return typeof seen;';
    expect((await ampoule.execute(code)).output.warnings).toBeUndefined();
    await ampoule.result('import { again } from "skills/steady"; return again();');
    await until('the new wrappers are there', async () => (await ampoule.execute(code)).output.warnings !== undefined, 10_000);
    expect((await ampoule.execute(code)).output).toMatchObject({
      status: 'completed',
      warnings: [{ code: 'WARN_SKILL_TOOLS_CHANGED', message: 'The skill "loose": shape.look changed since it was saved.' }],
    });
  });
});
