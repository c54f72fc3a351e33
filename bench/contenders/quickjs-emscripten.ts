import { newQuickJSWASMModule, type QuickJSContext, type QuickJSWASMModule, Scope } from 'quickjs-emscripten';
import { type Contender, functionText, type Program } from './contender.ts';

const MEMORY_BYTES = 256 * 2 ** 20;
const STACK_BYTES = 1024 * 1024;

/** A fresh runtime in one WebAssembly module for each run: what most people do with it. */
export async function freshRuntime(): Promise<Contender> {
  const module = await newQuickJSWASMModule();
  return {
    name: 'fresh quickjs-emscripten runtime',
    pace: 'usual',
    run: (program) => runOnce(module, program),
    close: () => Promise.resolve(),
  };
}

/** A fresh WebAssembly module for each run: nothing of linear memory is shared between runs. */
export function freshModule(): Promise<Contender> {
  return Promise.resolve({
    name: 'fresh quickjs-emscripten module',
    pace: 'usual',
    run: async (program: Program) => runOnce(await newQuickJSWASMModule(), program),
    close: () => Promise.resolve(),
  });
}

async function runOnce(module: QuickJSWASMModule, program: Program): Promise<string> {
  return Scope.withScopeAsync(async (scope) => {
    const runtime = scope.manage(module.newRuntime());
    runtime.setMemoryLimit(MEMORY_BYTES);
    runtime.setMaxStackSize(STACK_BYTES);
    const context = scope.manage(runtime.newContext());
    provideTools(context, program);
    // It settles with text in any case: an error that is thrown across would leave handles behind.
    const text = `(async () => JSON.stringify(await ${functionText(program)}({
      callTool: async (server, tool, args) => JSON.parse(await hostCall(server, tool, JSON.stringify(args))) }, ${program.input})) ?? 'null')()
      .catch((error) => { throw String(error); })`;
    const promise = scope.manage(context.unwrapResult(context.evalCode(text)));
    const settled = context.resolvePromise(promise);
    runtime.executePendingJobs();
    const result = await settled;
    if (result.error) throw new Error(context.getString(scope.manage(result.error)));
    return context.getString(scope.manage(result.value));
  });
}

/** `hostCall`: answered in a later turn, as a real tool is. */
function provideTools(context: QuickJSContext, { answer }: Program): void {
  const call = context.newFunction('hostCall', () => {
    const deferred = context.newPromise();
    setImmediate(() => {
      context.newString(answer).consume((text) => deferred.resolve(text));
      context.runtime.executePendingJobs();
    });
    return deferred.handle;
  });
  call.consume((handle) => context.setProp(context.global, 'hostCall', handle));
}
