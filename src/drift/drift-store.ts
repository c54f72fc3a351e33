import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { transact } from '../store/database.ts';
import type { OutlineText } from './outline.ts';
import type { ToolName } from './named-tools.ts';

/** Programs that are remembered; the one that did not run for the longest time goes first. */
export const MAX_PROGRAMS = 5_000;
const DAY_MS = 24 * 60 * 60 * 1000;
/** A program that did not run for so long is forgotten, in milliseconds. */
export const FORGET_AFTER_MS = 90 * DAY_MS;
/** Programs and outlines that are no longer needed go after so many writes. */
const SWEEP_EVERY = 64;

/** `id` is a hash of code and principal, `used` when the program last ran (ms since 1970), `outline` the hash of a tool's schemas. */
export const MIGRATIONS: readonly string[] = [
  `CREATE TABLE programs (id BLOB PRIMARY KEY, used INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE INDEX programs_used ON programs (used);
  CREATE TABLE outlines (hash TEXT PRIMARY KEY, outline TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE uses (
    program BLOB NOT NULL REFERENCES programs ON DELETE CASCADE,
    server TEXT NOT NULL,
    tool TEXT NOT NULL,
    outline TEXT NOT NULL REFERENCES outlines,
    PRIMARY KEY (program, server, tool)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX uses_outline ON uses (outline);`,
];

const STATEMENTS = {
  uses: 'SELECT server, tool, outline, used FROM uses JOIN programs ON id = program WHERE program = ?',
  outline: 'SELECT outline FROM outlines WHERE hash = ?',
  dropUses: 'DELETE FROM uses WHERE program = ?',
  addProgram: 'INSERT INTO programs (id, used) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET used = excluded.used',
  addOutline: 'INSERT OR IGNORE INTO outlines (hash, outline) VALUES (?, ?)',
  addUse: 'INSERT OR REPLACE INTO uses (program, server, tool, outline) VALUES (?, ?, ?, ?)',
  dropOld: 'DELETE FROM programs WHERE used < ?',
  dropMany: 'DELETE FROM programs WHERE id IN (SELECT id FROM programs ORDER BY used DESC LIMIT -1 OFFSET ?)',
  dropOutlines: 'DELETE FROM outlines WHERE NOT EXISTS (SELECT 1 FROM uses WHERE uses.outline = outlines.hash)',
} as const;

/** A tool that a program uses, and the hash of the schemas that the program was checked against. */
export interface RememberedUse extends ToolName {
  readonly outline: string;
}

export interface RememberedProgram {
  readonly uses: readonly RememberedUse[];
  readonly used: number;
}

/** A program and the schemas of the tools that it uses, as it was checked. */
export interface ProgramToKeep {
  readonly id: Buffer;
  readonly uses: readonly (ToolName & { readonly outline: OutlineText })[];
}

/** The file that keeps what programs were checked against. */
export class DriftStore {
  readonly #db: DatabaseSync;
  readonly #run: Readonly<Record<keyof typeof STATEMENTS, StatementSync>>;
  #writes = 0;

  constructor(db: DatabaseSync) {
    this.#db = db;
    const entries = Object.entries(STATEMENTS).map(([name, text]) => [name, db.prepare(text)]);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- fromEntries forgets the names
    this.#run = Object.fromEntries(entries) as Record<keyof typeof STATEMENTS, StatementSync>;
  }

  find(id: Buffer): RememberedProgram | undefined {
    const rows = this.#run.uses.all(id);
    const [first] = rows;
    if (first === undefined) return undefined;
    const uses = rows.map(({ server, tool, outline }) => ({ server: String(server), tool: String(tool), outline: String(outline) }));
    return { uses, used: Number(first['used']) };
  }

  /** The text of an outline. */
  outline(hash: string): string | undefined {
    const text = this.#run.outline.get(hash)?.['outline'];
    return typeof text === 'string' ? text : undefined;
  }

  /** Stores programs in the place of what was known of them, all or nothing. */
  keep(programs: readonly ProgramToKeep[], now: number): void {
    transact(this.#db, () => {
      for (const { id, uses } of programs) {
        this.#run.addProgram.run(id, now);
        this.#run.dropUses.run(id);
        for (const { server, tool, outline } of uses) {
          this.#run.addOutline.run(outline.hash, outline.text);
          this.#run.addUse.run(id, server, tool, outline.hash);
        }
      }
      if (this.#writes++ % SWEEP_EVERY === 0) this.sweep(now);
    });
  }

  sweep(now: number, maximum: number = MAX_PROGRAMS): void {
    this.#run.dropOld.run(now - FORGET_AFTER_MS);
    this.#run.dropMany.run(maximum);
    this.#run.dropOutlines.run();
  }

  close(): void {
    this.#db.close();
  }
}
