/** The guest side of `world.wit`: what runs in every instance of the engine, around the program. */
import './time-zone-name.ts';
import { ampoule } from './ampoule-module.ts';
import { moveClock, startClock } from './clock.ts';
import { installGlobals } from './globals.ts';
import { type JsonText, toJsonText } from './json.ts';
import * as p from './primordials.ts';
import { seedRandom } from './random.ts';
import { type Ending, type Failure, type RunOptions, end, resetRun, run } from './run.ts';
import { changedState, forgetState } from './session-state.ts';
import { rememberSource } from './source-line.ts';
import { failure, failureOf, loadFailure } from './thrown.ts';
import { forgetTimers, nextTimer, runDueTimer } from './timers.ts';
import { forgetCalls, settleCall } from './tool-calls.ts';

let program: ((module: object, input: unknown) => unknown) | null = null;

installGlobals();

/** See `world.wit`. */
export function load(script: string): string {
  try {
    forgetRun();
    const compiled = new p.NativeFunction('ampoule', 'input', script);
    rememberSource(compiled);
    program = compiled as typeof program;
    return '';
  } catch (thrown) {
    return loadFailure(thrown);
  }
}

/**
 * A program's image holds no run. There was one when the engine was built: the engine compiles a function when it is first called,
 * so the build goes the way of a run once, and what was compiled then is in the image of every program.
 */
function forgetRun(): void {
  resetRun();
  forgetCalls();
  forgetTimers();
  forgetState();
}

/** See `world.wit`. */
export function start(input: string, options: string): void {
  try {
    run.options = p.plain(p.parseJson(options) as RunOptions);
    startClock(run.options.now);
    seedRandom(run.options.seed);
    void runProgram(input === '' ? undefined : p.parseJson(input));
  } catch (thrown) {
    end(failureOf(thrown));
  }
}

/** Only `await` stands between the runtime and the program's promise: a redefined `then` or species is not asked. */
async function runProgram(input: unknown): Promise<void> {
  try {
    const result = await program?.(ampoule, input);
    complete(result);
  } catch (thrown) {
    end(failureOf(thrown));
  }
}

function complete(value: unknown): void {
  if (run.ending !== null) return;
  const result = toJsonText(value, 'result', run.options.maxResultBytes);
  if (result.problem !== null) return end(refused(result));
  const state = changedState();
  if (state.problem !== null) return end(refused(state));
  end(p.plain({ status: 'completed', result: result.text, state: state.text }));
}

function refused(json: Exclude<JsonText, { problem: null }>): Failure {
  const code = json.problem === 'too-large' ? 'ERR_EXECUTE_RESULT_TOO_LARGE' : 'ERR_EXECUTE_RESULT_INVALID';
  return failure(code, 'Error', json.message, json.hint);
}

/** See `world.wit`. Answers and a timer never share one call: the reactions to the answers come before the next timer. */
export function resume(now: number, calls: ArrayLike<number>, answers: ArrayLike<string>): void {
  try {
    moveClock(now);
    for (let i = 0; i < calls.length; i++) settleCall(calls[i], answers[i]);
    if (calls.length === 0) runDueTimer();
  } catch (thrown) {
    end(failureOf(thrown));
  }
}

/** What `status` gives out. It inherits nothing that a program could have put in its way. */
const texts = p.newList<string>();

/** See `world.wit`. */
export function status(): p.List<string> {
  const { ending } = run;
  texts.length = 0;
  // By hand: this is called at every step, and the general way costs ten times as much.
  p.push(texts, `{"running":${run.runningCalls},"nextTimer":${nextTimer()},"ending":${endingText(ending)}}`);
  if (ending?.status === 'completed') {
    p.push(texts, ending.result);
    p.push(texts, ending.state);
  }
  return texts;
}

function endingText(ending: Ending | null): string {
  if (ending === null) return 'null';
  if (ending.status === 'completed') return '{"status":"completed"}';
  try {
    return p.stringifyJson(ending);
  } catch {
    // QuickJS writes JSON with the help of arrays, whose indexes a program can have redefined.
    return '{"status":"failed","code":"ERR_EXECUTE_THROWN","name":"Error","message":"the failure cannot be told: arrays do not work","stack":""}';
  }
}
