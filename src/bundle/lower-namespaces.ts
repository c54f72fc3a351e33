import type { SandboxError } from '../errors.ts';
import type { Sources } from './bundle-form.ts';
import { MAX_DIAGNOSTICS } from './diagnostics.ts';
import { transform } from './esbuild.ts';
import { freeName } from './free-name.ts';
import type { BuildMessage } from './module-source.ts';
import { offsetLookup } from './position-map.ts';
import type { LoweredNamespace } from './program-text.ts';
import type { Scan } from './scan-result.ts';
import { syntaxError } from './source-findings.ts';
import { LineTable } from './source-text.ts';

type Namespace = Scan['namespaces'][number];

/**
 * Turns namespaces, which only a module may hold, into plain statements. Those of one name are lowered together, because each sees
 * what the others export.
 * @throws SandboxError ERR_BUNDLE_SYNTAX, ERR_BUNDLE_FAILED
 */
export async function lowerNamespaces(scan: Scan, sources: Sources, timeoutMs: number): Promise<LoweredNamespace[]> {
  const lowered = new Map<Namespace, LoweredNamespace>();
  for (const parts of Map.groupBy(scan.namespaces, ({ name }) => name).values()) {
    for (const [part, result] of await lowerParts(parts, sources, timeoutMs)) lowered.set(part, result);
  }
  return scan.namespaces.flatMap((part) => lowered.get(part) ?? []);
}

/** A namespace in the text that all of its name make together. */
interface Placed {
  readonly part: Namespace;
  readonly begin: number;
}

async function lowerParts(parts: readonly Namespace[], sources: Sources, timeoutMs: number): Promise<[Namespace, LoweredNamespace][]> {
  const mark = `${freeName('$next', sources.prepared.text)}();\n`;
  const placed: Placed[] = [];
  let text = '';
  for (const part of parts) {
    if (text !== '') text += mark;
    placed.push({ part, begin: text.length });
    text += `${sources.prepared.text.slice(part.start, part.end)}\n`;
  }
  const outcome = await transform(text, timeoutMs);
  if (!outcome.ok) throw errorIn(placed, text, outcome.errors, sources);
  const generated = new LineTable(outcome.script, 'script');
  const lookup = offsetLookup(outcome.map, 'program', text);
  const scripts = outcome.script.split(mark);
  let next = 0;
  return placed.map(({ part, begin }, at) => {
    const script = scripts[at] ?? '';
    const first = next;
    next += script.length + mark.length;
    const sourceOf = (offset: number): number | undefined => {
      const { line, column } = generated.placeAt(first + offset);
      const found = lookup(line, column);
      return found === undefined ? undefined : found - begin;
    };
    return [part, { text: withoutVar(script, part).trimEnd(), sourceOf }];
  });
}

/** What it merges with is declared already, perhaps in a way that `var` may not repeat. */
function withoutVar(script: string, { declared, name }: Namespace): string {
  return declared ? script.replace(`var ${name};`, ' '.repeat(name.length + 5)) : script;
}

/** Of the errors, those in the namespace that has the first one: positions count from its begin. */
function errorIn(placed: readonly Placed[], text: string, errors: readonly BuildMessage[], { lines }: Sources): SandboxError {
  const table = new LineTable(text, 'script');
  const placeOf = ({ line, column }: BuildMessage): Placed | undefined => {
    const offset = table.offsetAtBytes(line, column);
    return placed.findLast(({ begin }) => begin <= offset);
  };
  const first = errors[0] === undefined ? undefined : placeOf(errors[0]);
  const mine = errors.slice(0, MAX_DIAGNOSTICS).filter((message) => placeOf(message) === first);
  return syntaxError(mine, text, first === undefined ? 0 : first.part.start - first.begin, lines);
}
