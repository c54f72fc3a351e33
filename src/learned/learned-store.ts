import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { transact } from '../store/database.ts';
import { LEARNED_BOUNDS, LEARNED_TIMES } from './bounds.ts';
import { ANYTHING, cutShape, mergeShapes, NOTHING, PRIMITIVES, type Shape } from './shape.ts';

/** `current` and `previous` are shapes as JSON, `since` is when the current one began, `used` when the tool was last called (ms since 1970). */
export const MIGRATIONS: readonly string[] = [
  `CREATE TABLE learned (
    server TEXT NOT NULL,
    tool TEXT NOT NULL,
    current TEXT NOT NULL,
    previous TEXT NOT NULL,
    since INTEGER NOT NULL,
    used INTEGER NOT NULL,
    PRIMARY KEY (server, tool)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX learned_used ON learned (used);`,
];

const storedShape: z.ZodType<Shape> = z.lazy(() =>
  z.strictObject({
    anything: z.literal(true).exactOptional(),
    primitives: z.array(z.enum(PRIMITIVES)).exactOptional(),
    items: storedShape.exactOptional(),
    properties: z
      .array(z.strictObject({ name: z.string().max(64), shape: storedShape, optional: z.literal(true).exactOptional() }))
      .max(LEARNED_BOUNDS.properties)
      .exactOptional(),
    values: storedShape.exactOptional(),
  }),
);

/** One tool and the shape of its answers: as they were seen, or as they are known from this generation and the one before. */
export interface LearnedTool {
  readonly server: string;
  readonly tool: string;
  readonly shape: Shape;
}

/** The file that keeps what was learned. Several processes may share it: news are merged with what is there. */
export class LearnedStore {
  readonly #db: DatabaseSync;
  readonly #now: () => number;
  #version = -1;

  constructor(db: DatabaseSync, now: () => number) {
    [this.#db, this.#now] = [db, now];
  }

  /** All that is known, without what is too old and with no more tools than there may be. A row that cannot be read is left out. */
  load(): LearnedTool[] {
    transact(this.#db, () => this.#forget());
    this.#version = this.#dataVersion();
    const rows = this.#db.prepare('SELECT server, tool, current, previous FROM learned ORDER BY server, tool').all();
    return rows.flatMap(({ server, tool, current, previous }) => {
      const shapes = [parseShape(current), parseShape(previous)];
      if (shapes.includes(undefined)) return [];
      return [{ server: String(server), tool: String(tool), shape: shapes.reduce<Shape>((a, b) => mergeShapes(a, b ?? NOTHING), NOTHING) }];
    });
  }

  /** Whether another process has written since {@link load}. */
  hasChanged(): boolean {
    return this.#dataVersion() !== this.#version;
  }

  /** Merges what was seen into what is stored, all or nothing. Gives back what is known then. */
  merge(seen: readonly LearnedTool[]): LearnedTool[] {
    return transact(this.#db, () => {
      const known = seen.map((one) => this.#mergeOne(one));
      this.#forget();
      return known;
    });
  }

  close(): void {
    this.#db.close();
  }

  #mergeOne({ server, tool, shape }: LearnedTool): LearnedTool {
    const now = this.#now();
    const row = this.#db.prepare('SELECT current, previous, since FROM learned WHERE server = ? AND tool = ?').get(server, tool);
    let current = parseShape(row?.['current']) ?? NOTHING;
    let previous = parseShape(row?.['previous']) ?? NOTHING;
    let since = Number(row?.['since'] ?? now);
    if (now - since > LEARNED_TIMES.generation) [previous, current, since] = [current, NOTHING, now];
    current = fit(mergeShapes(current, shape));
    this.#db
      .prepare('INSERT OR REPLACE INTO learned (server, tool, current, previous, since, used) VALUES (?, ?, ?, ?, ?, ?)')
      .run(server, tool, JSON.stringify(current), JSON.stringify(previous), since, now);
    return { server, tool, shape: mergeShapes(previous, current) };
  }

  #forget(): void {
    this.#db.prepare('DELETE FROM learned WHERE used < ?').run(this.#now() - LEARNED_TIMES.forgetAfter);
    this.#db
      .prepare('DELETE FROM learned WHERE (server, tool) IN (SELECT server, tool FROM learned ORDER BY used DESC LIMIT -1 OFFSET ?)')
      .run(LEARNED_BOUNDS.tools);
  }

  #dataVersion(): number {
    return Number(this.#db.prepare('PRAGMA data_version').get()?.['data_version']);
  }
}

/** A shape that is not too large to store: what lies too deep is given up. */
function fit(shape: Shape): Shape {
  for (let levels: number = LEARNED_BOUNDS.depth; levels > 0; levels--) {
    const cut = cutShape(shape, levels);
    if (JSON.stringify(cut).length <= LEARNED_BOUNDS.shapeText) return cut;
  }
  return ANYTHING;
}

function parseShape(text: unknown): Shape | undefined {
  if (typeof text !== 'string' || text.length > LEARNED_BOUNDS.shapeText) return undefined;
  try {
    return storedShape.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
