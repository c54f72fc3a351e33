import { DatabaseSync } from 'node:sqlite';

/** How many rows a file of sessions has by table, and how many sessions it has counted. */
export function rowsOf(file: string): Record<'sessions' | 'states' | 'principals' | 'counted', number> {
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    const number = (sql: string): number => Number(db.prepare(sql).get()?.['n']);
    return {
      sessions: number('SELECT count(*) AS n FROM sessions'),
      states: number('SELECT count(*) AS n FROM states'),
      principals: number('SELECT total(sessions) AS n FROM principals'),
      counted: number('SELECT sessions AS n FROM totals'),
    };
  } finally {
    db.close();
  }
}
