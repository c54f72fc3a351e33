import type { Bundle } from './bundle.ts';
import { ENTRY_FILE } from './esbuild.ts';
import { offsetLookup } from './position-map.ts';
import type { ProgramText } from './program-text.ts';
import type { Scan } from './scan-result.ts';
import type { SkillLookup } from './skill-places.ts';
import type { LineTable, PreparedSource } from './source-text.ts';

/** What every script begins with. */
export const HEAD = '"use strict";return (async () => {';
// A class is a value; a function is called. Only its text tells them apart.
const RETURN_EXPORT = `return typeof value === "function" && !/^class\\b/.test(Function.prototype.toString.call(value)) ? value(input) : value;})();`;
/** What stands behind it. */
export const END = '\n//# sourceURL=program.js\n';

/** What stands before a program in its script. */
export function bannerOf({ programName }: Scan): string {
  return `${HEAD}let ${programName};`;
}

/** What ends a program's function: its value, or that of the export that it has. */
export function footerOf({ tail, programName }: Scan): string {
  return tail === '' ? `return ${programName}();})();` : `const value = await ${programName}();${RETURN_EXPORT}`;
}

/** The agent's text, and where its lines are. */
export interface Sources {
  readonly prepared: PreparedSource;
  readonly lines: LineTable;
}

/** A bundle as it is kept. */
export interface Made {
  readonly bundle: Bundle;
  /** Roughly the characters that the bundle keeps in memory. */
  readonly size: number;
}

/** The bundle of what esbuild made of a program. */
export function toBundle(
  outcome: { script: string; map: string },
  program: ProgramText,
  { prepared, lines }: Sources,
  inSkill: SkillLookup = () => undefined,
): Made {
  const script = outcome.script.trimEnd() + END;
  const lookup = offsetLookup(outcome.map, ENTRY_FILE, program.text);
  const bundle: Bundle = {
    script,
    locate(line, column) {
      const offset = lookup(line, column);
      const source = offset === undefined ? undefined : program.sourceOf(offset);
      return source === undefined ? inSkill(line, column) : lines.locationAt(source);
    },
  };
  return { bundle, size: script.length + outcome.map.length + 2 * prepared.shown.length };
}
