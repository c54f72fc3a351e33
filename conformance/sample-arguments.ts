interface Schema {
  readonly type?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
}

interface Tool {
  readonly inputSchema: object;
}

/** Arguments that a tool of the suite accepts, each by its type. One that is called `schema` is the first tool's, to be sent back as it came. */
export function argumentsFor(schema: object, [first]: readonly Tool[]): Record<string, unknown> {
  const { properties = {} } = schema as Schema;
  const sample = ([name, property]: [string, Schema]): [string, unknown] => [
    name,
    name === 'schema' ? first?.inputSchema : valueOf(property),
  ];
  return Object.fromEntries(Object.entries(properties).map(sample));
}

function valueOf({ type, default: given, enum: values }: Schema): unknown {
  if (given !== undefined) return given;
  if (values) return values[0];
  switch (type) {
    case 'object':
      return {};
    case 'array':
      return [];
    case 'boolean':
      return true;
    case 'number':
    case 'integer':
      return 5;
    default:
      return 'text';
  }
}
