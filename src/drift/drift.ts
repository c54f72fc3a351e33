import { createHash } from 'node:crypto';
import type { Diagnostic, SandboxError } from '../errors.ts';
import { openReplaceable, type StoreLog } from '../store/replaceable-database.ts';
import type { Catalog } from '../upstream/catalog.ts';
import type { WrapperSet } from '../wrappers/wrapper-set.ts';
import { DriftStore, MIGRATIONS, type ProgramToKeep, type RememberedProgram } from './drift-store.ts';
import { namedTools, type ToolName } from './named-tools.ts';
import { outlineOf, type OutlineText } from './outline.ts';
import { driftWarnings, explainDrift, findTool, isChanged } from './tell-drift.ts';

/** Tools of one program that are remembered. */
const MAX_TOOLS = 64;
/** Programs without tools that are known not to have any. */
const MAX_TOOLLESS = 1_000;
/** How often it is noted that a program is still in use, in milliseconds. */
const NOTE_USE_EVERY_MS = 24 * 60 * 60 * 1000;
/** What is to be stored waits so long for more of it, in milliseconds. */
const GATHER_MS = 50;

/** A program as it is about to be checked. */
export interface DriftQuestion {
  readonly code: string;
  /** Whose program it is: nobody hears what others ran. */
  readonly principal: string;
  /** What it is checked against. */
  readonly wrappers: WrapperSet;
}

/** What became of the tools of one program since it was last checked. */
export interface ProgramDrift {
  /** One for each tool that changed; empty when nothing that the program uses did. */
  readonly warnings: readonly Diagnostic[];
  /** The error of a check that failed, with what changed if that can be the reason. */
  explain(error: SandboxError): SandboxError;
  /** Remembers that the program passed. @param script the bundled program @param calls what it called while it ran */
  passed(script: string, calls: readonly ToolName[]): void;
}

/** Remembers which schemas each program was checked against. */
export interface Drift {
  /** To be called before the check. Never throws. */
  begin(question: DriftQuestion): ProgramDrift;
  /** Stores what is still to be stored. */
  close(): void;
}

export interface DriftOptions {
  /** Path of the database. Default: in memory, gone when the process ends. */
  readonly file?: string | undefined;
  readonly log: StoreLog;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** Never throws because of the file: what cannot be kept is forgotten. */
export function createDrift({ file, log, now = Date.now }: DriftOptions): Drift {
  return new StoredDrift(openStore(file, log), log, now);
}

function openStore(file: string | undefined, log: StoreLog): DriftStore {
  const form = { file, migrations: MIGRATIONS };
  try {
    return new DriftStore(openReplaceable(form, log));
  } catch (error) {
    log.warn({ err: error, file }, 'What programs were checked against cannot be kept');
    return new DriftStore(openReplaceable({ ...form, file: undefined }, log));
  }
}

class StoredDrift implements Drift {
  readonly #store: DriftStore;
  readonly #log: StoreLog;
  readonly #now: () => number;
  readonly #toKeep = new Map<string, ProgramToKeep>();
  /** Programs without tools: nothing of them is stored. */
  readonly #toolless = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(store: DriftStore, log: StoreLog, now: () => number) {
    [this.#store, this.#log, this.#now] = [store, log, now];
  }

  begin({ code, principal, wrappers }: DriftQuestion): ProgramDrift {
    const id = createHash('sha256').update(principal).update('\0').update(code).digest();
    const { catalog = { servers: [] } } = wrappers;
    const remembered = this.#guarded(() => this.#find(id));
    const outlineText = (hash: string): string | undefined => this.#store.outline(hash);
    const warnings = this.#guarded(() => driftWarnings(remembered?.uses ?? [], catalog, outlineText)) ?? [];
    return {
      warnings,
      explain: (error) => explainDrift(error, warnings),
      passed: (script, calls) => {
        if (this.#hasNews(id, remembered, { catalog, calls })) {
          setImmediate(() => this.#guarded(() => this.#remember(id, remembered, { catalog, script, calls })));
        }
      },
    };
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#guarded(() => this.#flush());
    this.#guarded(() => this.#store.close());
  }

  #find(id: Buffer): RememberedProgram | undefined {
    if (this.#isClosed) return undefined;
    if (this.#toKeep.has(id.toString('hex'))) this.#flush();
    return this.#store.find(id);
  }

  /** Whether there may be something to store: most programs run again as they ran before, and a large script is long to look through. */
  #hasNews(id: Buffer, before: RememberedProgram | undefined, { catalog, calls }: Omit<Passed, 'script'>): boolean {
    if (before === undefined) return calls.length > 0 || !this.#toolless.has(id.toString('hex'));
    if (this.#now() - before.used >= NOTE_USE_EVERY_MS) return true;
    const known = new Set(before.uses.map(keyOf));
    return before.uses.some((use) => isChanged(use, catalog)) || calls.some((call) => !known.has(keyOf(call)));
  }

  #remember(id: Buffer, before: RememberedProgram | undefined, { catalog, script, calls }: Passed): void {
    if (this.#isClosed) return;
    const names = [...namedTools(script, MAX_TOOLS), ...calls, ...(before?.uses ?? [])];
    const uses = new Map<string, ProgramToKeep['uses'][number]>();
    for (const { server, tool } of names) {
      const found = findTool(catalog, { server, tool });
      const outline = typeof found === 'object' ? outlineOf(found) : found === 'not known' && this.#oldOutline(before, { server, tool });
      if (outline && uses.size < MAX_TOOLS) uses.set(keyOf({ server, tool }), { server, tool, outline });
    }
    if (uses.size === 0 && before === undefined) {
      if (this.#toolless.size >= MAX_TOOLLESS) this.#toolless.clear();
      this.#toolless.add(id.toString('hex'));
      return;
    }
    this.#toKeep.set(id.toString('hex'), { id, uses: [...uses.values()] });
    this.#timer ??= setTimeout(() => this.#guarded(() => this.#flush()), GATHER_MS).unref();
  }

  /** What a program was checked against when its server was last connected. */
  #oldOutline(before: RememberedProgram | undefined, { server, tool }: ToolName): OutlineText | undefined {
    const hash = before?.uses.find((use) => use.server === server && use.tool === tool)?.outline;
    const text = hash === undefined ? undefined : this.#store.outline(hash);
    return hash === undefined || text === undefined ? undefined : { hash, text };
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const programs = [...this.#toKeep.values()];
    this.#toKeep.clear();
    if (programs.length > 0) this.#store.keep(programs, this.#now());
  }

  /** What goes wrong with the file is told to the operator; the run goes on. */
  #guarded<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      this.#log.warn({ err: error }, 'What programs were checked against cannot be kept');
      return undefined;
    }
  }
}

interface Passed {
  readonly catalog: Catalog;
  readonly script: string;
  readonly calls: readonly ToolName[];
}

function keyOf({ server, tool }: ToolName): string {
  return `${server}\n${tool}`;
}
