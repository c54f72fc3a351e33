/** A schema as a stranger wrote it. */
type Schema = Readonly<Record<string, unknown>>;

const MAX_DEPTH = 8;
const MAX_NODES = 500;
const MAX_ITEMS = 3;
/** Of one object, and parts of one intersection; what is past them is left out. */
const MAX_PROPERTIES = 50;
const MAX_PARTS = 50;

/** Texts of the formats that programs parse. */
const FORMATS: Readonly<Record<string, string>> = {
  'date-time': '2026-01-01T00:00:00Z',
  date: '2026-01-01',
  time: '00:00:00Z',
  email: 'someone@example.org',
  uri: 'https://example.org/',
  url: 'https://example.org/',
  hostname: 'example.org',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
  uuid: '00000000-0000-4000-8000-000000000000',
};

/**
 * A value that a JSON Schema allows, as small as it can be and always the same for the same schema. Within bounds whatever the schema is; where the
 * schema is out of bounds or contradicts itself the value is null. Patterns are not followed.
 */
export function sampleValue(schema: unknown): unknown {
  return new Sampler(schema).value(schema, 0);
}

class Sampler {
  readonly #root: unknown;
  /** The first names of properties of each object that was met: some have many, and are met again and again. */
  readonly #names = new Map<object, readonly string[]>();
  #nodes = 0;

  constructor(root: unknown) {
    this.#root = root;
  }

  value(schema: unknown, depth: number): unknown {
    if (!isSchema(schema) || depth > MAX_DEPTH || this.#nodes++ > MAX_NODES) return null;
    if ('const' in schema) return schema['const'];
    for (const key of ['enum', 'examples'] as const) {
      const list = schema[key];
      if (Array.isArray(list) && list.length > 0) return list[0];
    }
    if ('default' in schema) return schema['default'];
    if (typeof schema['$ref'] === 'string') return this.value(this.#resolve(schema['$ref']), depth + 1);
    return this.#ofParts(schema, depth) ?? this.#ofType(schema, depth);
  }

  /** What the schema is composed of: the first choice that is not null, all parts of an intersection. */
  #ofParts(schema: Schema, depth: number): unknown {
    for (const key of ['oneOf', 'anyOf'] as const) {
      const choices = schema[key];
      if (!Array.isArray(choices) || choices.length === 0) continue;
      const chosen: unknown = choices.find((choice) => !isSchema(choice) || choice['type'] !== 'null') ?? choices[0];
      return this.value(isSchema(chosen) ? this.#merged(schema, chosen, key) : chosen, depth + 1);
    }
    const parts = schema['allOf'];
    if (!Array.isArray(parts)) return undefined;
    const some = parts
      .slice(0, MAX_PARTS)
      .map((part) => this.#deref(part))
      .filter(isSchema);
    this.#nodes += some.length;
    const whole = some.reduce((all, part) => this.#merged(all, part, 'allOf'), this.#merged(schema, {}, 'allOf'));
    return this.value(whole, depth + 1);
  }

  #deref(part: unknown): unknown {
    return isSchema(part) && typeof part['$ref'] === 'string' ? this.#resolve(part['$ref']) : part;
  }

  #ofType(schema: Schema, depth: number): unknown {
    switch (typeOf(schema)) {
      case 'object':
        return this.#object(schema, depth);
      case 'array':
        return this.#array(schema, depth);
      case 'string':
        return text(schema);
      case 'integer':
        return number(schema, 1);
      case 'number':
        return number(schema, 0.5);
      case 'boolean':
        return true;
      default:
        return null;
    }
  }

  #object(schema: Schema, depth: number): Record<string, unknown> {
    const properties = isSchema(schema['properties']) ? schema['properties'] : {};
    const required = firstOf(schema['required']).filter((name) => typeof name === 'string');
    const names = [...new Set([...required, ...this.#namesOf(properties)])].slice(0, MAX_PROPERTIES);
    // What is optional ends where it gets deep: recursive types do.
    const chosen = names.filter((name) => required.includes(name) || depth < MAX_DEPTH / 2);
    return Object.fromEntries(chosen.map((name) => [name, this.value(own(properties, name) ?? {}, depth + 1)]));
  }

  #array(schema: Schema, depth: number): unknown[] {
    const prefix = Array.isArray(schema['prefixItems']) ? schema['prefixItems'] : Array.isArray(schema['items']) ? schema['items'] : [];
    const first = prefix.slice(0, MAX_PROPERTIES).map((item) => this.value(item, depth + 1));
    const least = Math.max(whole(schema['minItems'], 0), depth < MAX_DEPTH / 2 ? 1 : 0);
    const most = Math.min(whole(schema['maxItems'], MAX_ITEMS), Math.max(MAX_ITEMS, prefix.length));
    const items = isSchema(schema['items']) ? schema['items'] : {};
    while (first.length < Math.min(least, most)) first.push(this.value(items, depth + 1));
    return first;
  }

  #merged(all: Schema, part: Schema, without: string): Schema {
    const { [without]: _, ...rest } = all;
    const required = [all['required'], part['required']].flatMap(firstOf);
    const properties = [all['properties'], part['properties']].filter(isSchema);
    const entries = properties.flatMap((one) => this.#namesOf(one).map((name) => [name, one[name]]));
    return {
      ...rest,
      ...part,
      ...(required.length > 0 && { required }),
      ...(properties.length > 0 && { properties: Object.fromEntries(entries) as Schema }),
    };
  }

  #namesOf(properties: Schema): readonly string[] {
    let names = this.#names.get(properties);
    if (names === undefined) this.#names.set(properties, (names = Object.keys(properties).slice(0, MAX_PROPERTIES)));
    return names;
  }

  #resolve(reference: string): unknown {
    if (!reference.startsWith('#')) return undefined;
    const steps = reference.slice(1).split('/').slice(1);
    return steps.reduce<unknown>((at, step) => own(at, decode(step)), this.#root);
  }
}

function firstOf(list: unknown): unknown[] {
  return Array.isArray(list) ? list.slice(0, MAX_PROPERTIES) : [];
}

function typeOf({ type, properties, items, prefixItems, required }: Schema): unknown {
  if (Array.isArray(type)) return type.find((one) => one !== 'null') ?? 'null';
  if (type !== undefined) return type;
  if (properties !== undefined || required !== undefined) return 'object';
  return items !== undefined || prefixItems !== undefined ? 'array' : 'null';
}

function text({ format, minLength, maxLength }: Schema): string {
  const sample = (typeof format === 'string' && Object.hasOwn(FORMATS, format) && FORMATS[format]) || 'text';
  const least = whole(minLength, 0);
  const most = whole(maxLength, 10_000);
  return sample.padEnd(Math.min(least, 10_000), '.').slice(0, Math.max(most, 0));
}

function number({ minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf }: Schema, step: number): number {
  const bounds = { least: finite(minimum), above: finite(exclusiveMinimum), most: finite(maximum), below: finite(exclusiveMaximum) };
  const unit = finite(multipleOf) ?? step;
  const { least, above, most, below } = bounds;
  if (least === undefined && above === undefined) {
    if (most !== undefined && most < unit) return Math.floor(most / unit) * unit;
    return below !== undefined && below <= unit ? Math.ceil(below / unit - 1) * unit : unit;
  }
  const from = Math.max(least ?? -Infinity, above ?? -Infinity);
  const first = Math.ceil(from / unit) * unit;
  return first > (above ?? -Infinity) ? first : first + unit;
}

function finite(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value !== 0 ? value : value === 0 ? 0 : undefined;
}

function whole(value: unknown, otherwise: number): number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : otherwise;
}

function own(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
}

function decode(step: string): string {
  return step.replaceAll('~1', '/').replaceAll('~0', '~');
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
