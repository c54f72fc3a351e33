import type { Diagnostic, SourceLocation } from '../errors.ts';
import type { SkillSet } from '../skill/skill-set.ts';
import type { WrapperSet } from '../wrappers/wrapper-set.ts';
import { adviseGlobal } from './absent-globals.ts';
import { declarationAt, functionsOf, propertiesOf, suggest, suggestModule } from './candidates.ts';
import type { RawDiagnostic } from './type-server.ts';

const MAX_DIAGNOSTICS = 10;
/** Of thousands of messages, those that are put into words. Against: a program of nothing but errors, which would hold up everybody else. */
const MAX_EXPLAINED = 200;
const MAX_MESSAGE = 600;
const MAX_PART = 240;

/** One thing that is wrong with the types of the agent's code. */
export interface CheckDiagnostic extends Diagnostic {
  /** TypeScript's own number: 2322 for `TS2322`. */
  tsCode: number;
}

/** What a message is explained with. */
export interface ExplainContext {
  /** The text that was checked. */
  readonly text: string;
  readonly wrappers: WrapperSet;
  readonly skills?: SkillSet | undefined;
  readonly libraries: readonly string[];
  /** Where an offset in `text` is for the agent. */
  locate(offset: number): SourceLocation;
  /** The text of another file of the checker's. */
  textOf(path: string): string | undefined;
}

const UNKNOWN_NAMES = new Set([
  2304, 2305, 2307, 2503, 2552, 2580, 2581, 2582, 2583, 2584, 2591, 2592, 2593, 2613, 2614, 2694, 2708, 2724, 7017,
]);
const ARGUMENTS = new Set([2345, 2353, 2554, 2555, 2561, 2739, 2740, 2741, 2769, 2820]);
const PROPERTY_OF_EXPECTED = 6500;
const DECLARED_HERE = 2728;
const FORGOT_AWAIT = 2773;
/** A result without a declared type, or what `catch` caught. */
const IS_UNKNOWN = new Set([18046, 2571]);

/** TypeScript's messages as an agent can use them: at most 10, the causes of others first. */
export function explain(raw: readonly RawDiagnostic[], context: ExplainContext): CheckDiagnostic[] {
  const ranked = raw
    .filter((diagnostic) => !isAcceptable(diagnostic, context))
    .map((diagnostic) => ({ diagnostic, rank: rankOf(diagnostic) }))
    .sort((a, b) => a.rank - b.rank || a.diagnostic.pos - b.diagnostic.pos);
  const seen = new Set<string>();
  const told: CheckDiagnostic[] = [];
  for (const { diagnostic } of ranked.slice(0, MAX_EXPLAINED)) {
    const { pos, code } = diagnostic;
    const found: CheckDiagnostic = { message: messageOf(diagnostic, context), location: context.locate(pos), tsCode: code };
    if (isNews(found, seen)) told.push(found);
    if (told.length === MAX_DIAGNOSTICS) break;
  }
  return told;
}

/** A name that there is not is said once; anything else once for each line. */
function isNews({ message, location, tsCode }: CheckDiagnostic, seen: Set<string>): boolean {
  const key = UNKNOWN_NAMES.has(tsCode) ? message : `${location?.line} ${message}`;
  if (seen.has(key)) return false;
  seen.add(key);
  return true;
}

/**
 * A parameter, variable or result without a type, as in `input.items.map((item) => item.id)`. TypeScript needs the rule for its
 * types of `[]` and `let x`, but to refuse such a program costs a turn of the model and finds no mistake.
 */
const IMPLICIT_ANY = new Set([7005, 7006, 7008, 7010, 7011, 7019, 7022, 7023, 7024, 7031, 7034]);

/** What `strict` says and the way in which programs are written and run makes right. */
function isAcceptable({ code, text }: RawDiagnostic, context: ExplainContext): boolean {
  if (IMPLICIT_ANY.has(code)) return true;
  switch (code) {
    case 1108: // a return outside of functions that is checked already
    case 7016: // a library without types
      return true;
    case 2307: // the same, without any file that TypeScript knows
      return context.libraries.some((name) => text.includes(`'${name}'`) || text.includes(`'${name}/`));
    case 7053: // `counts[name] = 1` on an object that began as {}
      return text.includes("to index type '{}'");
    default:
      return false;
  }
}

function rankOf({ code, text, relatedInformation }: RawDiagnostic): number {
  if (UNKNOWN_NAMES.has(code)) return 0;
  if ((code === 2339 || code === 2551) && text.includes("'typeof ")) return 0;
  if (ARGUMENTS.has(code) || relatedInformation?.some((related) => related.code === PROPERTY_OF_EXPECTED) === true) return 1;
  return 2;
}

function messageOf(diagnostic: RawDiagnostic, context: ExplainContext): string {
  const base = withoutPaths(flatten(diagnostic)).replace(
    / Do you need to (?:install type definitions|change your target library)[\s\S]*$/u,
    '',
  );
  const extra = [expectedType(diagnostic, context), adviceOn(diagnostic, base, context)];
  const more = extra.filter((part) => part !== '' && !base.includes(part)).join(' ');
  const room = MAX_MESSAGE - more.length - 1;
  return `${base.length > room ? `${base.slice(0, room - 1)}…` : base}${more === '' ? '' : ` ${more}`}`;
}

/** The first sentence says what, the deepest says why; what is between repeats both. */
function flatten(diagnostic: RawDiagnostic): string {
  const parts = [diagnostic.text];
  for (let next = diagnostic.messageChain?.[0]; next !== undefined; next = next.messageChain?.[0]) parts.push(next.text);
  const kept = parts.length > 3 ? [parts[0] ?? '', ...parts.slice(-2)] : parts;
  return kept.map((part) => shorten(part)).join(' ');
}

function shorten(part: string): string {
  return part.length <= MAX_PART ? part : `${part.slice(0, MAX_PART - 60)} … ${part.slice(-58)}`;
}

/** Paths of ours are nothing that an agent has ever seen. */
function withoutPaths(text: string): string {
  return text
    .replaceAll(/\/[^\s"'`]*\/node_modules\/(?:@types\/)?((?:@[^/"'\s]+\/)?[^/"'\s]+)[^"'\s]*/gu, '$1')
    .replaceAll(/\/ampoule-check\/servers\/([^"'\s]*?)(?:\/index)?(?:\.ts)?(?=["'\s)]|$)/gu, 'servers/$1')
    .replaceAll(/\/ampoule-check\/program\d+\/skills\/([a-z0-9-]+)(?:\.ts)?(?=["'\s).]|$)/gu, 'skills/$1')
    .replaceAll(/\/ampoule-check\/ampoule(?:\.d\.ts|\.d)?/gu, 'ampoule')
    .replaceAll(/\/ampoule-check\/program\d+\/program(?:\.ts)?/gu, 'the code')
    .replaceAll(/\/ampoule-check\/[^"'\s]*/gu, 'the code');
}

function expectedType({ relatedInformation, pos, end }: RawDiagnostic, context: ExplainContext): string {
  for (const { code, fileName, pos: at, text } of relatedInformation ?? []) {
    if (code === FORGOT_AWAIT) return "Did you forget to use 'await'?";
    if ((code !== PROPERTY_OF_EXPECTED && code !== DECLARED_HERE) || fileName === undefined) continue;
    const file = context.textOf(fileName);
    const declaration = file === undefined || file === context.text ? undefined : declarationAt(file, at);
    const type = / on type '([\w$]+)'/u.exec(text)?.[1];
    if (declaration !== undefined && !/^[\w$]+\(/u.test(declaration) && context.text.slice(pos, end) !== '') {
      return type === undefined ? `Declared: ${declaration}.` : `Expected in ${type}: ${declaration}.`;
    }
  }
  return '';
}

function adviceOn({ code, pos, end }: RawDiagnostic, base: string, context: ExplainContext): string {
  const named = /'([^']+)'/u.exec(base)?.[1] ?? '';
  const didMean = base.includes('Did you mean');
  if (code === 7017 || (code === 2339 && base.includes("'typeof globalThis'"))) {
    const name = context.text.slice(pos, end);
    return adviseGlobal(name) ?? `There is no global '${name}'.`;
  }
  if (IS_UNKNOWN.has(code)) return adviseUnknown(named, context);
  if (base.startsWith('Cannot find name') || code === 2708) return adviseName(named, didMean, context);
  if (didMean) return '';
  if (code === 2307) return suggestModule(named, context.wrappers, context.libraries);
  if (code === 2305) {
    const [module = '', member = ''] = [/"([^"]+)"/u.exec(base)?.[1], /member '([^']+)'/u.exec(base)?.[1]];
    return suggest(member, exportsOf(module, context), 'It exports');
  }
  if (code === 2339) return adviseProperty(named, base, context);
  if (code === 2353) {
    const [, name = '', type = ''] = /and '"?([^'"]+)"?' does not exist in type '([\s\S]*)'\.$/u.exec(base) ?? [];
    return suggest(name, propertiesOf(type, context.wrappers), 'It has');
  }
  return '';
}

function exportsOf(module: string, { wrappers, skills }: ExplainContext): string[] {
  const skill = skills?.modules.get(module.replace('skills/', ''));
  return skill === undefined || !module.startsWith('skills/')
    ? functionsOf(module.replace('servers/', ''), wrappers)
    : skill.exports.map(({ name }) => name);
}

function adviseProperty(name: string, base: string, { wrappers }: ExplainContext): string {
  const type = / on type '([\s\S]*)'\.$/u.exec(base)?.[1] ?? '';
  const folder = /^typeof import\("servers\/([^"]+)"\)$/u.exec(type)?.[1];
  if (folder !== undefined) return suggest(name, functionsOf(folder, wrappers), 'It exports');
  return suggest(name, propertiesOf(type, wrappers), 'It has');
}

function adviseName(name: string, didMean: boolean, { wrappers, libraries }: ExplainContext): string {
  const known = adviseGlobal(name);
  if (known !== undefined) return known;
  if (name.startsWith('node:')) return 'The modules of Node do not exist here: use "ampoule" and the tools of "servers/<name>".';
  const tool = wrappers.tools.find(({ functionName }) => functionName === name);
  if (tool !== undefined) return `Import it: \`import { ${name} } from "servers/${tool.folder}"\`.`;
  const folder = wrappers.tools.find((candidate) => candidate.folder === name)?.folder;
  if (folder !== undefined) return `Import it: \`import * as ${name} from "servers/${folder}"\`.`;
  if (libraries.includes(name)) return `Import it from "${name}".`;
  if (didMean) return '';
  const near = suggest(
    name,
    wrappers.tools.map(({ functionName }) => functionName),
    '',
  );
  return near.startsWith('Did') ? near : '';
}

function adviseUnknown(name: string, { text }: ExplainContext): string {
  const escaped = name.replaceAll(/[^\w]/gu, String.raw`\$&`);
  return name !== '' && new RegExp(String.raw`\bcatch\s*\(\s*${escaped}\s*\)`, 'u').test(text)
    ? `Write \`${name} instanceof Error ? ${name}.message : String(${name})\`.`
    : 'Its type is not declared: check it before use, or say what it is, for example `as { items: string[] }`.';
}
