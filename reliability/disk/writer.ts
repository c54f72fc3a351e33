import { writeSync } from 'node:fs';
import { DATABASES } from './databases.ts';
import { FILES } from './files.ts';
import type { StoreKind, StoreUnderTest } from './store-under-test.ts';
import type { Known, WriterMessage } from './writer-protocol.ts';

// A process that writes to every store and cache of a folder until it is killed, and says each time what was acknowledged. Arguments:
// the folder, the writer's name, and what the writers of that name before it have said. It looks first whether all of that is there.

const [, , folder = '', writer = '', before = '{}'] = process.argv;
const known = JSON.parse(before) as Record<string, Known>;
const STDOUT = 1;

interface Written {
  readonly name: string;
  readonly store: StoreUnderTest;
  number: number;
  place: string;
}

const opened: Written[] = [];
for (const kind of [...DATABASES, ...FILES]) {
  const one = await look(kind);
  if (one) opened.push(one);
}
tell({ ready: true });
for (;;) await Promise.all(opened.map(writeNext));

async function look(kind: StoreKind): Promise<Written | undefined> {
  const { name, keeps } = kind;
  const { number, place } = known[name] ?? { number: 0, place: '' };
  try {
    const store = await kind.open(folder, writer);
    const found = await store.read(place);
    // The last write may have been done and not told.
    if (found > number + 1 || (keeps && found < number)) tell({ fault: `${name}: ${found} is there, and ${number} was acknowledged` });
    const last = Math.max(found, number);
    tell({ store: name, number: last, place });
    return { name, store, number: last, place };
  } catch (error) {
    tell({ fault: `${name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}` });
    return undefined;
  }
}

async function writeNext(one: Written): Promise<void> {
  try {
    one.place = await one.store.write(one.number + 1, one.place);
    tell({ store: one.name, number: ++one.number, place: one.place });
  } catch (error) {
    tell({ fault: `${one.name}: a write failed: ${error instanceof Error ? error.message : String(error)}` });
  }
}

function tell(message: WriterMessage): void {
  writeSync(STDOUT, `${JSON.stringify(message)}\n`);
}
