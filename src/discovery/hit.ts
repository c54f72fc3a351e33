import type { WrapperSet, WrapperTool } from '../wrappers/wrapper-set.ts';
import { bounded, declarationOf } from './declaration.ts';
import { isSkill } from './documents.ts';
import type { SearchDetail, SearchHit, SkillEntry } from './entry.ts';

const SUMMARY_CHARS = 160;
const MAX_EXPORTS = 600;

/** What is told of one function or skill. */
export function hitOf(of: WrapperTool | SkillEntry, detail: SearchDetail, wrappers: WrapperSet): SearchHit {
  return isSkill(of) ? skillHit(of, detail) : toolHit(of, detail, wrappers);
}

/** About how long it is in an answer, in characters. */
export function hitChars({ import: line, signature = '', summary = '', types = '', note = '' }: SearchHit): number {
  return line.length + signature.length + summary.length + types.length + note.length;
}

function toolHit(tool: WrapperTool, detail: SearchDetail, wrappers: WrapperSet): SearchHit {
  const { folder, functionName, summary } = tool;
  const signature = tool.learnedSignature === undefined ? tool.signature : `${tool.learnedSignature} /* result learned from answers */`;
  const hit = { kind: 'tool' as const, name: functionName, import: `import { ${functionName} } from "servers/${folder}";` };
  switch (detail) {
    case 'names':
      return hit;
    case 'summary':
      return { ...hit, signature: oneLine(signature), ...(summary !== '' && { summary: clip(oneLine(summary)) }) };
    case 'full': {
      const path = `${folder}/${functionName}.ts`;
      const file = wrappers.files.get(path);
      return { ...hit, types: file === undefined ? oneLine(signature) : declarationOf(file, `servers/${path}`) };
    }
  }
}

function skillHit(skill: SkillEntry, detail: SearchDetail): SearchHit {
  const { name, description, exports, importLine, code, note } = skill;
  const hit = { kind: 'skill' as const, name, import: oneLine(importLine), ...(note !== undefined && { note: clip(oneLine(note)) }) };
  switch (detail) {
    case 'names':
      return hit;
    case 'summary':
      return { ...hit, signature: oneLine(exports.join('; ')).slice(0, MAX_EXPORTS), summary: clip(oneLine(description)) };
    case 'full':
      return { ...hit, summary: clip(oneLine(description)), types: bounded(code, `skills/${name}.ts`) };
  }
}

/** Texts of strangers stay on their line. */
function oneLine(text: string): string {
  return text
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim()
    .toWellFormed();
}

function clip(line: string): string {
  return line.length > SUMMARY_CHARS ? `${line.slice(0, SUMMARY_CHARS - 1).toWellFormed()}…` : line;
}
