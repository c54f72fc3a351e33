import type { SourceLocation } from '../errors.ts';
import type { SkillSet } from '../skill/skill-set.ts';
import { placeLookup } from './position-map.ts';
import { LineTable } from './source-text.ts';

const SPACE = 'skills:';

/** The place in a skill for a 1-based line and column of generated text; undefined where that is not a skill's. */
export type SkillLookup = (line: number, column: number) => SourceLocation | undefined;

/** Reads a source map for places in skills, at the first question and not before. */
export function skillLookup(map: string, skills: SkillSet | undefined): SkillLookup {
  if (skills === undefined) return () => undefined;
  const lookup = placeLookup(map);
  return (line, column) => {
    const place = lookup(line, column);
    return place && skillLocation(place.source, skills, (lines) => lines.offsetAt(place.line, place.column));
  };
}

/** The place in the skill that esbuild calls `file`: where `offsetIn` says it is in that text. */
export function skillLocation(
  file: string,
  skills: SkillSet | undefined,
  offsetIn: (lines: LineTable) => number,
): SourceLocation | undefined {
  const name = skillOf(file);
  const code = name === undefined ? undefined : skills?.modules.get(name)?.code;
  if (code === undefined) return undefined;
  const offset = offsetIn(new LineTable(code, 'script'));
  return { ...new LineTable(code, 'editor').locationAt(offset), module: `skills/${name}` };
}

/** The name of the skill that esbuild calls `file`. */
export function skillOf(file: string): string | undefined {
  return file.startsWith(SPACE) ? file.slice(SPACE.length) : undefined;
}
