import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { componentize } from '@bytecodealliance/componentize-js';
import { transpile } from '@bytecodealliance/jco';
import { functionText, type Program } from './contender.ts';
import type { FromGuest } from './messages.ts';

/** The process of {@link componentPerSubmission}: from a program's text to its result, one after the other. */

const WIT = `package bench:contender;
interface host { call-tool: func(server: string, tool: string, arguments: string) -> string; }
world program { import host; export run: func(input: string) -> string; }`;

interface Glue {
  instantiate(
    module: (name: string) => WebAssembly.Module,
    imports: object,
    instance: (module: WebAssembly.Module, imports: WebAssembly.Imports) => WebAssembly.Instance,
  ): { run(input: string): string | Promise<string> };
}

process.on('message', (program: Program) => {
  submit(program).then(
    (result) => say({ result }),
    (error: unknown) => say({ failed: String(error instanceof Error ? error.stack : error) }),
  );
});
say({ ready: true });

async function submit(program: Program): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'ampoule-bench-'));
  try {
    // The declared type asks for a path even where the source is given as text.
    const options = {
      worldName: 'program',
      disableFeatures: ['stdio', 'random', 'clocks', 'http', 'fetch-event'],
    } as unknown as Parameters<typeof componentize>[2];
    const { component } = await componentize(moduleText(program), WIT, options);
    const { files } = await transpile(component, { name: 'program', instantiation: 'sync', noTypescript: true });
    await Promise.all(Object.entries(files).map(([name, bytes]) => writeFile(join(directory, name.replaceAll('/', '-')), bytes)));
    const glue = (await import(pathToFileURL(join(directory, 'program.js')).href)) as Glue;
    const modules = new Map(
      await Promise.all(
        Object.entries(files)
          .filter(([name]) => name.endsWith('.wasm'))
          .map(async ([name, bytes]) => [name, await WebAssembly.compile(bytes)] as const),
      ),
    );
    const guest = glue.instantiate(
      (name) => modules.get(name) as WebAssembly.Module,
      { 'bench:contender/host': { callTool: () => program.answer } },
      (module, imports) => new WebAssembly.Instance(module, imports),
    );
    return await guest.run(program.input);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function moduleText(program: Program): string {
  return `import { callTool } from 'bench:contender/host';
const program = ${functionText(program)};
const ampoule = { callTool: async (server, tool, args) => JSON.parse(callTool(server, tool, JSON.stringify(args))) };
export async function run(input) { return JSON.stringify(await program(ampoule, JSON.parse(input))) ?? 'null'; }
`;
}

function say(message: FromGuest): void {
  process.send?.(message);
}
