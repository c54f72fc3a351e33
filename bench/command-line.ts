import { parseArgs } from 'node:util';
import { nearestName } from '../src/nearest-name.ts';

export interface Options {
  /** Names of parts; all when empty. */
  readonly only: readonly string[];
  readonly quick: boolean;
  readonly check: boolean;
  readonly help: boolean;
  readonly json?: string;
  readonly report?: string;
  readonly plot?: string;
  /** The product's default when absent. */
  readonly engine?: string;
}

/** A command line that cannot be meant. */
export class UsageError extends Error {}

/**
 * The options of `npm run bench`.
 * @throws UsageError for an option or a part that does not exist
 */
export function parseCommandLine(args: readonly string[], parts: readonly string[], engines: readonly string[]): Options {
  const { values } = parse(args);
  const only = (values.only ?? []).flatMap((list) => list.split(',')).map((name) => name.trim());
  for (const name of only) if (!parts.includes(name)) throw unknown('part', name, parts);
  if (values.engine !== undefined && !engines.includes(values.engine)) throw unknown('engine', values.engine, engines);
  return {
    only: [...new Set(only)],
    quick: values.quick === true,
    check: values.check === true,
    help: values.help === true,
    ...(values.json === undefined ? {} : { json: values.json }),
    ...(values.report === undefined ? {} : { report: values.report }),
    ...(values.plot === undefined ? {} : { plot: values.plot }),
    ...(values.engine === undefined ? {} : { engine: values.engine }),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      strict: true,
      options: {
        only: { type: 'string', multiple: true },
        quick: { type: 'boolean' },
        check: { type: 'boolean' },
        json: { type: 'string' },
        report: { type: 'string' },
        plot: { type: 'string' },
        engine: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function unknown(what: string, name: string, known: readonly string[]): UsageError {
  const nearest = nearestName(name, known);
  const hint = nearest === undefined ? '' : ` Did you mean "${nearest}"?`;
  return new UsageError(`There is no ${what} "${name}".${hint} There are: ${known.join(', ')}.`);
}

/** What `--help` prints. */
export function helpText(parts: readonly { readonly name: string; readonly about: string }[], engines: readonly string[]): string {
  const width = Math.max(...parts.map(({ name }) => name.length));
  return `npm run bench -- [options]

  --only NAME     measures this part only; may be repeated, or a list with commas
  --quick         measures for a shorter time, with fewer points on the curves
  --check         exits with 1 when a target is missed
  --json FILE     writes everything that was found
  --report FILE   writes the report page there (a whole, not quick suite: bench/report.html)
  --plot FILE     writes one plot there as an SVG image (a whole, not quick suite: docs/benchmark.svg)
  --engine NAME   ${engines.join(' or ')} (default: what the product uses)
  --help

Parts:
${parts.map(({ name, about }) => `  ${name.padEnd(width)}  ${about}`).join('\n')}
`;
}
