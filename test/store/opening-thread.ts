import { join } from 'node:path';
import { workerData } from 'node:worker_threads';
import { openDatabase } from '../../src/store/database.ts';

// Opens files at the same moments as others of its kind: `database.test.ts` looks whether it could.
const { folder, shared, threads, files } = workerData as { folder: string; shared: SharedArrayBuffer; threads: number; files: number };
const arrived = new Int32Array(shared);
for (let file = 1; file <= files; file++) {
  Atomics.add(arrived, 0, 1);
  while (Atomics.load(arrived, 0) < file * threads);
  openDatabase({ file: join(folder, `${file}.db`), migrations: ['CREATE TABLE notes (text TEXT NOT NULL) STRICT;'] }).close();
}
