import { SandboxError } from '../errors.ts';
import type { SkillSet } from '../skill/skill-set.ts';
import type { WrapperSet } from '../wrappers/wrapper-set.ts';
import { CheckLanes } from './check-lanes.ts';
import type { CheckProcess, ProcessSetup } from './check-process.ts';
import { type EngineKind, languageTypes } from './compiler-libs.ts';
import { type CheckDiagnostic, explain } from './explain.ts';
import { findReturns } from './find-returns.ts';
import { likelyPrograms } from './likely-programs.ts';
import { LibraryTypes } from './library-types.ts';
import { OrphanWatch } from './orphan-watch.ts';
import { composeChecked } from './program-text.ts';
import { ReportCache } from './report-cache.ts';
import { skillReports, withSkills } from './skill-reports.ts';
import { type RawDiagnostic, typescriptFolder } from './type-server.ts';

export type { CheckDiagnostic } from './explain.ts';

/** Whether errors in types end a run before it begins, are told beside its result, or are not looked for. */
export type CheckMode = 'error' | 'warn' | 'off';

const DEFAULT_TIMEOUT_MS = 2000;
const RETURN_OUTSIDE = 1108;

/** What the check found: nothing when the code is fine; else at most 10 errors, the most useful first. */
export interface CheckReport {
  readonly diagnostics: readonly CheckDiagnostic[];
}

/** An agent's code and the wrappers that it may import. */
export interface CheckSource {
  readonly code: string;
  readonly wrappers: WrapperSet;
  /** The skills that the code imports. They are checked too: what they use may have changed since they were saved. */
  readonly skills?: SkillSet | undefined;
  /** Whose code it is: everybody who waits has a turn. */
  readonly owner?: string | undefined;
}

/** An agent's text as the bundler reads it, so that both show the same positions. */
export type ReadSource = (code: string) => {
  readonly text: string;
  locationAt(offset: number): { line: number; column: number; source: string };
};

export interface CheckerOptions {
  /** Names of the npm packages that agent code may import. */
  readonly libraries: readonly string[];
  /** Absolute folder of the operator's installation: types of libraries come from its `node_modules`, nothing else is read. */
  readonly resolveFrom: string;
  /** The engine that programs run on: what it lacks is not declared. Default: quickjs. */
  readonly engine?: EngineKind;
  /** Milliseconds for one check, after which it fails. Default: 2000. */
  readonly timeoutMs?: number;
  /** Text of the guest's `globals.d.ts`. */
  readonly globals: string;
  /** Text of the guest's `ampoule.d.ts`. */
  readonly ampoule: string;
  readonly readSource: ReadSource;
}

/** Checks the types of agents' code. Holds one or two child processes from the first use until it is closed. */
export interface Checker extends AsyncDisposable {
  /**
   * @throws SandboxError ERR_CHECK_TIMEOUT when it takes too long; ERR_CHECK_FAILED when the checker fails twice, or is closed
   * @throws the signal's reason when it is aborted
   */
  check(source: CheckSource, signal: AbortSignal): Promise<CheckReport>;
  /**
   * Starts the checker and lets it put together what programs are likely to import, before anybody waits. Resolves when that is done,
   * or wrappers of a later call take its place. Never throws.
   */
  warm(wrappers: WrapperSet): Promise<void>;
  close(): Promise<void>;
}

/** A checker for one operator's installation. */
export function createChecker(options: CheckerOptions): Checker {
  const lanes = new CheckLanes(processSetup(options), options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
  const cache = new ReportCache();
  const close = (): Promise<void> => lanes.close();
  const check = async (source: CheckSource, signal: AbortSignal): Promise<CheckReport> => {
    signal.throwIfAborted();
    const key = ReportCache.keyOf(source.code, source.wrappers.hash, source.skills?.hash);
    const known = cache.get(key);
    if (known !== undefined) return known;
    const report = await lanes.run((process) => checkWith(process, source, options), signal, source.owner);
    cache.set(key, report);
    return report;
  };
  const checkAll = async (source: CheckSource, signal: AbortSignal): Promise<CheckReport> => {
    const report = await check(source, signal);
    return source.skills === undefined ? report : withSkills(report, await skillReports(source.skills, source, check, signal));
  };
  let newest: WrapperSet | undefined;
  return {
    check: checkAll,
    async warm(wrappers) {
      newest = wrappers;
      const { signal } = new AbortController();
      for (const code of likelyPrograms(wrappers)) {
        if (newest !== wrappers) return;
        await lanes.run((process) => checkWith(process, { code, wrappers }, options), signal).catch(() => undefined);
      }
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** The error of a run whose code has errors in its types. */
export function checkError({ diagnostics }: CheckReport): SandboxError {
  const [first] = diagnostics;
  const more = diagnostics.length > 1 ? ` (and ${diagnostics.length - 1} more)` : '';
  return new SandboxError('ERR_CHECK_TYPES', `${first?.message ?? 'The code does not type-check.'}${more}`, {
    ...(first?.location === undefined ? {} : { location: first.location }),
    ...(first?.location?.module === undefined ? {} : { hint: skillHint(first.location.module) }),
    diagnostics,
  });
}

function skillHint(module: string): string {
  return `Save a corrected version of "${module}" with save_skill, or do without it.`;
}

function processSetup({ engine = 'quickjs', globals, ampoule, libraries, resolveFrom }: CheckerOptions): () => ProcessSetup {
  let setup: ProcessSetup | undefined;
  return () => {
    if (setup !== undefined) return setup;
    const compilerFolder = typescriptFolder();
    const language = languageTypes(compilerFolder, engine);
    const guest = { globals: `${language.script}\n${globals}`, globalModules: language.modules, ampoule };
    setup = { guest, libraries: new LibraryTypes(resolveFrom, libraries), compilerFolder, watch: new OrphanWatch() };
    return setup;
  };
}

async function checkWith(process: CheckProcess, { code, ...around }: CheckSource, options: CheckerOptions): Promise<CheckReport> {
  const prepared = options.readSource(code);
  const { text } = prepared;
  let returns = [...findReturns(text).offsets];
  let checked = composeChecked(text, returns);
  let raw = await process.diagnose(checked.text, around);
  const missed = missedReturns(raw, checked);
  if (missed.length > 0) {
    returns = [...new Set([...returns, ...missed])].sort((a, b) => a - b);
    checked = composeChecked(text, returns);
    raw = await process.diagnose(checked.text, around);
  }
  if (raw.length === 0) return { diagnostics: [] };
  const diagnostics = explain(raw, {
    text: checked.text,
    ...around,
    libraries: options.libraries,
    locate: (offset) => prepared.locationAt(Math.max(0, checked.sourceOf(offset))),
    textOf: (path) => process.textOf(path),
  });
  return { diagnostics };
}

/** Returns that only TypeScript could tell from those of functions. */
function missedReturns(raw: readonly RawDiagnostic[], checked: { sourceOf(offset: number): number }): number[] {
  return raw.filter(({ code }) => code === RETURN_OUTSIDE).map(({ pos }) => checked.sourceOf(pos));
}
