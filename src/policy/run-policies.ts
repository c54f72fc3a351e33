import type { Diagnostic } from '../errors.ts';
import type { RunOutcome, ToolAnswer } from '../execute/run.ts';
import type { CatalogTool } from '../upstream/catalog.ts';
import { brokenFlow, denied, overBudget, unknownToken, type Admission, type Arguments } from './admission.ts';
import type { CallBudgets, Place } from './call-budgets.ts';
import type { FlowFinding, RunFlow } from './data-flow.ts';
import { DryCalls, madeAnswer } from './dry-calls.ts';
import { answerWithoutNumbers, outcomeWithoutNumbers } from './hidden-numbers.ts';
import { inSlices, valueOf } from './look-through.ts';
import type { Hide, RunPersonalData, TokenMemory } from './personal-data.ts';
import { RunWarnings } from './run-warnings.ts';
import type { ToolRules, Verdict } from './tool-rules.ts';

export interface RunPoliciesParts {
  readonly rules: ToolRules;
  readonly budgets: CallBudgets;
  readonly flow: RunFlow | undefined;
  readonly personal: RunPersonalData | undefined;
  readonly dryRun: boolean;
}

/** Answers to calls that nothing was sent for, and that count in no budget. */
const NOT_COUNTED: ReadonlySet<string> = new Set([
  'ERR_CALL_DENIED',
  'ERR_CALL_DATA_FLOW',
  'ERR_CALL_ARGUMENTS',
  'ERR_CALL_BUDGET',
  'ERR_QUOTA_CALLS',
  'ERR_EXECUTION_STORE',
]);

/** The policies in one run: what was spent of its budgets, seen of its data, and not called because it is dry. */
export class RunPolicies {
  readonly dryRun: boolean;
  readonly dryCalls = new DryCalls();
  readonly #parts: RunPoliciesParts;
  readonly #warnings: RunWarnings;
  /** Places of calls from before a restart, by number. */
  readonly #earlier = new Map<number, Extract<Place, { ok: true }>>();
  #isEnded = false;

  constructor(parts: RunPoliciesParts, warnings: readonly Diagnostic[] = []) {
    this.#parts = parts;
    this.dryRun = parts.dryRun;
    this.#warnings = new RunWarnings(warnings);
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
    return this.hide === undefined ? outcome : outcomeWithoutNumbers(outcome, this.hide);
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
    return [...this.#warnings.all, ...unlisted];
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
      return brokenFlow(broken);
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
    return this.hide === undefined ? answer : answerWithoutNumbers(answer, this.hide);
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
      this.#warnings.add({ code: 'WARN_DATA_FLOW', message: `${message} It was let through, because the rule only warns.` });
    }
  }
}
