import { measureCheckMemory } from '../check-memory.ts';
import type { Part } from '../part.ts';
import type { Row } from '../result.ts';

const SOURCES = { full: 10_000, quick: 1_000 };
const KILOBYTES = 1_024;

export const checkMemory: Part = {
  name: 'check-memory',
  about: "the checker's resident memory over thousands of different programs",
  async measure({ quick }) {
    if (process.platform !== 'linux') return { notes: ["The checker's memory is not measured: this system has no /proc."] };
    const sources = quick ? SOURCES.quick : SOURCES.full;
    const { megabytes, kilobytesPerSource } = await measureCheckMemory(sources);
    const value = (kilobytesPerSource * sources) / KILOBYTES;
    const rows: Row[] = [
      { id: 'check-memory', name: `growth of the checker's memory over ${sources.toLocaleString('en')} sources`, unit: 'MB', value },
      { id: 'check-resident', name: "the checker's resident memory", unit: 'MB', value: megabytes.at(-1) ?? Number.NaN },
    ];
    return { rows };
  },
};
