import { sampleValue } from './sample-value.ts';

/** Calls of a run that are listed, and characters of JSON of the arguments of each. */
const MAX_CALLS = 200;
const MAX_ARGUMENT_CHARS = 8_192;
const MAX_ALL_CHARS = 65_536;

/** A call that a dry run did not make. */
export interface DryCall {
  readonly server: string;
  readonly tool: string;
  readonly arguments: unknown;
  readonly answer: 'recorded' | 'schema' | 'none';
}

/** The calls that one dry run did not make. */
export class DryCalls {
  readonly #calls: DryCall[] = [];
  #chars = 0;
  #total = 0;

  get total(): number {
    return this.#total;
  }

  /** As far as they are listed. */
  get listed(): readonly DryCall[] {
    return this.#calls;
  }

  add(call: DryCall): void {
    this.#total++;
    if (this.#calls.length >= MAX_CALLS) return;
    const json = JSON.stringify(call.arguments);
    const fits = json.length <= MAX_ARGUMENT_CHARS && this.#chars + json.length <= MAX_ALL_CHARS;
    const shown = fits ? call.arguments : `(${json.length} characters of JSON) ${json.slice(0, 200).toWellFormed()}...`;
    this.#chars += fits ? json.length : 0;
    this.#calls.push({ ...call, arguments: shown });
  }
}

/** What the program gets instead of an answer: by the output schema that the tool declares, else by the one that was learned, else null. */
export function madeAnswer(declared: object | undefined, learned: object | undefined): { value: string; answer: DryCall['answer'] } {
  const schema = declared ?? learned;
  if (schema === undefined) return { value: 'null', answer: 'none' };
  return { value: JSON.stringify(sampleValue(schema) ?? null), answer: declared === undefined ? 'recorded' : 'schema' };
}
