import type { ErrorObject, ValidateFunction } from 'ajv';
import { Ajv } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { prepareSchema, WORK_KEYWORD } from './argument-schema.ts';
import { createPatternEngine, WorkBudget } from './linear-pattern.ts';

/** Steps of work per validation: some tens of milliseconds at the most. */
const MAX_WORK = 20_000_000;
/** Above this, only the first error is looked for: an array of wrong items has as many errors as items. */
const MAX_BYTES_FOR_ALL_ERRORS = 64 * 1024;

/** All or some of what is wrong with a value; empty when nothing is. Throws {@link OutOfWork}. */
export type Check = (value: unknown) => readonly ErrorObject[];

/** The schema makes validating take too long, so the upstream has to judge. */
export class OutOfWork extends Error {}

/** Compiles schemas of strangers. What it keeps is shared by all schemas: the engines and the meta-schemas. */
export class ArgumentCompiler {
  readonly #budget = new WorkBudget();
  readonly #ajvs = new Map<string, Ajv>();

  /** @throws Error when the schema is not one, or is past the bounds */
  compile(schema: Readonly<Record<string, unknown>>): Check {
    const prepared = prepareSchema(schema);
    const first = this.#compile(prepared, false);
    let all: ValidateFunction | undefined;
    return (value) => {
      if (this.#run(first, value)) return [];
      const found = first.errors ?? [];
      if (Buffer.byteLength(JSON.stringify(value)) > MAX_BYTES_FOR_ALL_ERRORS) return found;
      all ??= this.#compile(prepared, true);
      return this.#run(all, value) ? found : (all.errors ?? found);
    };
  }

  #run(validate: ValidateFunction, value: unknown): boolean {
    this.#budget.refill(MAX_WORK);
    return validate(value);
  }

  /** The draft that the schema names comes first; most schemas name none and are written for either. */
  #compile(schema: Readonly<Record<string, unknown>>, allErrors: boolean): ValidateFunction {
    const { $schema, ...body } = schema;
    const isOld = typeof $schema === 'string' && /draft-0[4-7]/.test($schema);
    try {
      return this.#compileWith(this.#ajv(isOld ? '07' : '2020', allErrors), body);
    } catch {
      return this.#compileWith(this.#ajv(isOld ? '2020' : '07', allErrors), body);
    }
  }

  #compileWith(ajv: Ajv, schema: Readonly<Record<string, unknown>>): ValidateFunction {
    // Ajv keeps what it compiles by object: a copy is removed again without touching another.
    const own = { ...schema };
    try {
      return ajv.compile(own);
    } finally {
      ajv.removeSchema(own);
    }
  }

  #ajv(draft: '07' | '2020', allErrors: boolean): Ajv {
    const key = `${draft} ${allErrors}`;
    const ajv = this.#ajvs.get(key) ?? this.#createAjv(draft, allErrors);
    this.#ajvs.set(key, ajv);
    return ajv;
  }

  #createAjv(draft: '07' | '2020', allErrors: boolean): Ajv {
    const options = {
      strict: false,
      allErrors,
      verbose: true,
      validateFormats: false,
      ownProperties: true,
      logger: false,
      code: { regExp: createPatternEngine(this.#budget) },
    } as const;
    const ajv = draft === '07' ? new Ajv(options) : new Ajv2020(options);
    ajv.addKeyword({ keyword: WORK_KEYWORD, schemaType: 'number', errors: false, validate: (work: number) => this.#spend(work) });
    // Ajv's own compares every pair.
    ajv.removeKeyword('uniqueItems');
    ajv.addKeyword({ keyword: 'uniqueItems', type: 'array', schemaType: 'boolean', errors: false, validate: hasUniqueItems });
    return ajv;
  }

  #spend(work: number): boolean {
    if (!this.#budget.spend(work * 50)) throw new OutOfWork('validating takes too long');
    return true;
  }
}

function hasUniqueItems(wanted: boolean, items: readonly unknown[]): boolean {
  return !wanted || new Set(items.map(canonicalText)).size === items.length;
}

/** The same text for equal JSON values, whatever the order of their keys. */
function canonicalText(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
