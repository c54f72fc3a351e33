import { type Absent, type Contender, functionText, type Program } from './contender.ts';

const MEMORY_MB = 256;
const NAME = 'fresh isolated-vm isolate';

/** The part of the package that is used here. It is optional, so its own types may not be there. */
interface IsolatedVm {
  readonly Isolate: new (options: { memoryLimit: number }) => Isolate;
  readonly Reference: new (value: () => string) => object;
}

interface Isolate {
  createContext(): Promise<{ evalClosure(code: string, args: unknown[], options: object): Promise<unknown> }>;
  dispose(): void;
}

/** A fresh V8 isolate for each run, in this process. */
export async function isolatedVm(): Promise<Contender | Absent> {
  const name = 'isolated-vm';
  try {
    const { default: ivm } = (await import(name)) as { default: IsolatedVm };
    // A binary that does not fit this Node is found out here.
    new ivm.Isolate({ memoryLimit: MEMORY_MB }).dispose();
    return { name: NAME, pace: 'usual', run: (program) => runOnce(ivm, program), close: () => Promise.resolve() };
  } catch (error) {
    return { name: NAME, reason: reasonOf(error) };
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND') {
    return 'it is not installed; npm leaves it out when npm itself runs on an older Node, and `npm exec -c "npm install"` then installs it';
  }
  return `it does not load here (${error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)})`;
}

async function runOnce(ivm: IsolatedVm, program: Program): Promise<string> {
  const isolate = new ivm.Isolate({ memoryLimit: MEMORY_MB });
  try {
    const context = await isolate.createContext();
    const text = `const callTool = async (server, tool, args) => JSON.parse(
      await $0.apply(undefined, [server, tool, JSON.stringify(args)], { result: { promise: true, copy: true } }));
      return (async () => JSON.stringify(await ${functionText(program)}({ callTool }, ${program.input})) ?? 'null')();`;
    const call = new ivm.Reference(() => program.answer);
    return String(await context.evalClosure(text, [call], { result: { promise: true, copy: true } }));
  } finally {
    isolate.dispose();
  }
}
