import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Diagnostic } from '../errors.ts';
import type { RunOutcome, ToolAnswer, ToolAnswerError } from '../execute/run.ts';
import type { CatalogTool } from '../upstream/catalog.ts';
import type { CallBudgets, Place } from './call-budgets.ts';
import type { FlowFinding, RunFlow } from './data-flow.ts';
import { DryCalls, madeAnswer } from './dry-calls.ts';
import { changeNumbers } from './json-numbers.ts';
import type { Hide, RunPersonalData, TokenMemory } from './personal-data.ts';
import type { CallBudget, ToolRules, Verdict } from './tool-rules.ts';

export interface RunPoliciesParts {
  readonly rules: ToolRules;
  readonly budgets: CallBudgets;
  readonly flow: RunFlow | undefined;
  readonly personal: RunPersonalData | undefined;
  readonly dryRun: boolean;
}

type Arguments = Readonly<Record<string, unknown>>;

/** A call that no policy forbids. */
export interface Admitted {
  readonly ok: true;
  /** With the real values in the place of tokens. */
  readonly arguments: Arguments;
  readonly verdict: Verdict;
  /** To be called when nothing was sent after all: the call does not count then. */
  giveBack(): void;
}

export type Admission = Admitted | { readonly ok: false; readonly error: ToolAnswerError };

const MAX_WARNINGS = 20;

/** What to do about a call that was not made. */
const HINTS = {
  denied: 'Do it another way; what is allowed here is for the operator to say.',
  budget: 'Make fewer calls: pass several items at once, or split the work over several runs.',
  dataFlow: 'Send what does not come from there: a count, or words of your own. The rule is for the operator to change.',
  token: 'Get the value again with the tool that it came from.',
} as const;

/** Answers to calls that nothing was sent for, and that count in no budget. */
const NOT_COUNTED: ReadonlySet<string> = new Set([
  'ERR_CALL_DENIED',
  'ERR_CALL_DATA_FLOW',
  'ERR_CALL_ARGUMENTS',
  'ERR_CALL_BUDGET',
  'ERR_QUOTA_CALLS',
  'ERR_EXECUTION_STORE',
]);

/** Time that looking through an answer takes before others have their turn. */
const SLICE_MS = 5;

/** The policies in one run: what was spent of its budgets, seen of its data, and not called because it is dry. */
export class RunPolicies {
  readonly dryRun: boolean;
  readonly dryCalls = new DryCalls();
  readonly #parts: RunPoliciesParts;
  readonly #warnings = new Map<string, Diagnostic>();
  /** Places of calls from before a restart, by number. */
  readonly #earlier = new Map<number, Extract<Place, { ok: true }>>();
  #isEnded = false;

  constructor(parts: RunPoliciesParts, warnings: readonly Diagnostic[] = []) {
    this.#parts = parts;
    this.dryRun = parts.dryRun;
    for (const warning of warnings) this.warn(warning);
  }

  /** Takes personal data out of what goes to the model; undefined when there is none. */
  get hide(): Hide | undefined {
    return this.#parts.personal?.hide;
  }

  /** Does the same to a text at any time of the run; undefined when no server has personal data. */
  get hideText(): ((text: string) => string) | undefined {
    const { personal } = this.#parts;
    return personal && ((text) => personal.hide?.text(text) ?? text);
  }

  /** An outcome without personal data in the numbers of its result; its texts are hidden when they are shown. */
  hideNumbers(outcome: RunOutcome): RunOutcome {
    const { hide } = this;
    const { end, large } = outcome;
    if (hide === undefined || end.status !== 'completed') return outcome;
    const result = changeNumbers(end.result, (value, key) => hide.number(value, key));
    const bytes = large?.result && this.#changeBytes(large.result);
    return { ...outcome, end: { ...end, result }, ...(large && { large: { ...large, ...(bytes && { result: bytes }) } }) };
  }

  /** Findings as the model may see them. */
  hideFindings(findings: readonly Diagnostic[]): Diagnostic[] {
    const { hide } = this;
    return findings.map((finding) => (hide === undefined ? finding : { ...finding, message: hide.text(finding.message) }));
  }

  /** What did not stop the run but should be known. */
  get warnings(): readonly Diagnostic[] {
    const dry = this.dryCalls.total - this.dryCalls.listed.length;
    const unlisted = dry > 0 ? [{ code: 'WARN_DRY_RUN', message: `${dry} more calls were not made and are not listed.` }] : [];
    return [...this.#warnings.values(), ...unlisted];
  }

  /** Adds a warning to the answer, once. */
  warn(finding: Diagnostic): void {
    if (this.#warnings.size < MAX_WARNINGS) this.#warnings.set(`${finding.code} ${finding.message}`, finding);
  }

  /** Judges one call, without waiting for anything: calls that come together are judged one after the other. */
  admit(server: string, tool: CatalogTool, given: Arguments): Admission {
    const { rules, budgets, flow } = this.#parts;
    const name = `${server}.${tool.name}`;
    const verdict = rules(server, tool);
    if (verdict.decision === 'deny') return denied(`The operator does not allow calls of ${name} (${verdict.rule}).`);
    const filled = this.#parts.personal?.putBack(given) ?? { ok: true, value: given, marked: [] };
    if (!filled.ok) return unknownToken(filled.token);
    const place = budgets.take(server, tool.name, verdict);
    if (!place.ok) return overBudget(name, place.budget);
    // A token may be from another run, which has sent nothing: what it stands for is from where that run got it.
    for (const { value, rules: marked } of filled.marked) flow?.noteValue(value, marked);
    const findings = flow?.check(server, tool, filled.value) ?? [];
    const broken = findings.find(({ action }) => action === 'deny');
    if (broken) {
      place.giveBack();
      return refused('ERR_CALL_DATA_FLOW', `${broken.message} Nothing was sent.`, HINTS.dataFlow);
    }
    this.#warnOf(findings);
    return { ok: true, arguments: filled.value as Arguments, verdict, giveBack: () => place.giveBack() };
  }

  /** Whether a dry run makes the call all the same: it says that it changes nothing, and nobody has to be asked. */
  isHarmless(tool: CatalogTool, { decision }: Verdict): boolean {
    return tool.annotations?.readOnlyHint === true && decision === 'allow';
  }

  /** The answer to a call that is not made, which is listed instead. */
  answerDry(server: string, tool: CatalogTool, args: Arguments, learned: object | undefined): ToolAnswer {
    const { value, answer } = madeAnswer(tool.outputSchema, tool.outputSchema === undefined ? learned : undefined);
    this.dryCalls.add({ server, tool: tool.name, arguments: this.hide?.value(args) ?? args, answer });
    return { ok: true, value };
  }

  /**
   * Remembers what there is to follow in an answer, before the program has it. A large one is looked through in slices.
   * @returns the same answer; one that is kept whole for the model without personal data in its numbers
   */
  async note(server: string, tool: CatalogTool, answer: ToolAnswer): Promise<ToolAnswer> {
    const { flow, personal } = this.#parts;
    const flowing = flow?.rulesFrom(server, tool) ?? 0;
    const isFlowing = flowing !== 0 && !this.#isEnded;
    const isPersonal = personal?.watches(server) === true;
    if (!isFlowing && !isPersonal) return answer;
    const value = valueOf(answer);
    if (isPersonal) await inSlices(personal.note(value, flowing));
    // What a run remembers is gone when it has ended.
    if (flow && isFlowing) await inSlices(flow.note(server, tool, value), () => this.#isEnded);
    return this.#withoutNumbers(answer);
  }

  #withoutNumbers(answer: ToolAnswer): ToolAnswer {
    if (answer.ok || answer.error.whole === undefined) return answer;
    return { ok: false, error: { ...answer.error, whole: this.#changeBytes(answer.error.whole) } };
  }

  #changeBytes(json: Uint8Array): Uint8Array {
    const { hide } = this;
    if (hide === undefined) return json;
    const text = Buffer.from(json.buffer, json.byteOffset, json.byteLength).toString('latin1');
    return Buffer.from(
      changeNumbers(text, (value, key) => hide.number(value, key)),
      'latin1',
    );
  }

  /** The run begins with this state; without a handle it is nobody's. */
  openSession({ handle, state }: { readonly handle: string | undefined; readonly state: string }): void {
    if (handle === undefined) return;
    if (state !== '' && state !== '{}') this.#parts.personal?.suspectAll();
    this.#parts.flow?.openSession(handle, state);
    this.#parts.flow?.openText(state);
  }

  /** The run is of this program. */
  openProgram({ code, input = null }: { readonly code: string; readonly input?: unknown }): void {
    this.#parts.flow?.openText(code);
    if (input !== null) this.#parts.flow?.openText(JSON.stringify(input));
  }

  /** The answer says that these are kept for later runs to read. */
  keepResults(kept: readonly { readonly uri: string }[] = []): void {
    for (const { uri } of kept) this.#parts.flow?.keepResult(uri);
  }

  /** A completed run is about to leave its state behind. A dry run leaves none. */
  keepSession({ keptHandle }: { readonly keptHandle: string | undefined }, { end }: RunOutcome): void {
    if (keptHandle === undefined || this.dryRun || end.status !== 'completed') return;
    this.#parts.flow?.keepSession(keptHandle, end.state);
  }

  /** What another process has to be given to go on as strictly, beside the calls and answers; undefined when that is nothing. */
  memory(begun: { readonly code: string; readonly input?: unknown; readonly state: string }): TokenMemory | undefined {
    return this.#parts.personal?.memoryOf(`${begun.code}\n${JSON.stringify(begun.input ?? null)}\n${begun.state}`);
  }

  /** To be called before anything else of a run that goes on after a restart. @param memory as an earlier process gave it */
  restore(memory: TokenMemory): void {
    this.#parts.personal?.restore(memory);
  }

  /** A call of the run from before a restart: it counts on, whatever is said of it now. @param given as the program gave them */
  recallCall(number: number, server: string, tool: CatalogTool, given: Arguments): void {
    const { rules, budgets, flow, personal } = this.#parts;
    const filled = personal?.putBack(given);
    const args = filled?.ok === true ? filled.value : given;
    for (const { value, rules: marked } of filled?.ok === true ? filled.marked : []) flow?.noteValue(value, marked);
    this.#warnOf((flow?.check(server, tool, args) ?? []).filter(({ action }) => action === 'warn'));
    const place = budgets.take(server, tool.name, rules(server, tool));
    if (place.ok) this.#earlier.set(number, place);
  }

  /** What the run did before a restart is not known whole: so it may have done everything. */
  suspectPast(): void {
    const { budgets, flow, personal } = this.#parts;
    budgets.spendAll();
    flow?.suspectAll();
    personal?.suspectAll();
  }

  /** What that call was answered: the run has seen it. */
  async recallAnswer(number: number, server: string, tool: CatalogTool, given: Arguments, answer: ToolAnswer): Promise<void> {
    if (!answer.ok && NOT_COUNTED.has(answer.error.code)) this.askedAgain(number);
    this.#earlier.delete(number);
    if (answer.ok && this.dryRun && !this.isHarmless(tool, this.#parts.rules(server, tool))) this.answerDry(server, tool, given, undefined);
    // What was too large for the program is kept beside it, and is not looked through again: who can read it may have read all of it.
    if (!answer.ok) this.#parts.flow?.openText(JSON.stringify(answer.error));
    await this.note(server, tool, answer);
  }

  /** The call of that number is judged anew: it is not to count twice. */
  askedAgain(number: number): void {
    this.#earlier.get(number)?.giveBack();
    this.#earlier.delete(number);
  }

  /** Gives back what the run remembers. */
  end(): void {
    this.#isEnded = true;
    this.#parts.flow?.end();
  }

  #warnOf(findings: readonly FlowFinding[]): void {
    for (const { message } of findings) {
      this.warn({ code: 'WARN_DATA_FLOW', message: `${message} It was let through, because the rule only warns.` });
    }
  }
}

async function inSlices(steps: Iterable<void>, isOver: () => boolean = () => false): Promise<void> {
  let began = performance.now();
  for (const _ of steps) {
    if (isOver()) return;
    if (performance.now() - began < SLICE_MS) continue;
    await nextTurn();
    began = performance.now();
  }
}

/** All of an answer that the program, or a later one, may get to see. */
function valueOf(answer: ToolAnswer): unknown {
  if (answer.ok) return JSON.parse(answer.value);
  const { message, hint, content, whole } = answer.error;
  return [message, hint, content, whole && JSON.parse(Buffer.from(whole.buffer, whole.byteOffset, whole.byteLength).toString('utf8'))];
}

function refused(code: ToolAnswerError['code'], message: string, hint?: string): Admission {
  return { ok: false, error: { code, message, ...(hint !== undefined && { hint }) } };
}

function denied(message: string): Admission {
  return refused('ERR_CALL_DENIED', `${message} Nothing was sent.`, HINTS.denied);
}

function overBudget(tool: string, { rule, maxCalls }: CallBudget): Admission {
  if (maxCalls === 0) return denied(`This run may not call ${tool}: ${rule} is 0.`);
  const calls = maxCalls === 1 ? 'the one call' : `all ${maxCalls} calls`;
  return refused('ERR_CALL_BUDGET', `This run has made ${calls} that it may make of ${tool} (${rule}). Nothing was sent.`, HINTS.budget);
}

function unknownToken(token: string): Admission {
  const message = `The arguments hold the token ${token}, which stands for nothing any more. Nothing was sent.`;
  return refused('ERR_CALL_ARGUMENTS', message, HINTS.token);
}
