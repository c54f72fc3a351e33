import { z } from 'zod';
import { configSchema } from './schema.ts';

/** The part of JSON Schema that our own schema uses. */
export interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: SchemaNode | boolean;
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
  readonly [keyword: string]: unknown;
}

/** The JSON Schema (draft 2020-12) of the config file as the operator writes it, for editors. */
export function configJsonSchema(): SchemaNode {
  const { $schema, ...rest } = z.toJSONSchema(configSchema, { io: 'input' });
  return withVariables({ $schema, title: 'ampoule.json', ...rest } as SchemaNode); // zod's type says the same in other words
}

/** The text of the committed `ampoule.schema.json`. */
export function configJsonSchemaText(): string {
  return `${JSON.stringify(configJsonSchema(), undefined, 2)}\n`;
}

const VARIABLE = String.raw`\$\{env:`;

/** The same schema, but every string that has to look like something may have a variable in it instead: editors see the file as written. */
function withVariables(node: SchemaNode): SchemaNode {
  const inner = {
    ...node,
    ...(node.properties === undefined ? {} : { properties: mapNodes(node.properties) }),
    ...(typeof node.additionalProperties === 'object' ? { additionalProperties: withVariables(node.additionalProperties) } : {}),
    ...(node.items === undefined ? {} : { items: withVariables(node.items) }),
    ...(node.anyOf === undefined ? {} : { anyOf: node.anyOf.map(withVariables) }),
  };
  return node['type'] === 'string' ? stringWithVariables(inner) : inner;
}

function mapNodes(nodes: Readonly<Record<string, SchemaNode>>): Record<string, SchemaNode> {
  return Object.fromEntries(Object.entries(nodes).map(([key, node]) => [key, withVariables(node)]));
}

function stringWithVariables(node: SchemaNode): SchemaNode {
  const { type, pattern, format, enum: choices, const: only, ...rest } = node;
  if (choices !== undefined || only !== undefined) {
    return {
      ...rest,
      anyOf: [
        { type, enum: choices ?? [only] },
        { type, pattern: VARIABLE },
      ],
    };
  }
  const form = format === 'uri' ? '^https?://' : pattern;
  return { ...rest, type, ...(typeof form === 'string' ? { pattern: `${form}|${VARIABLE}` } : {}) };
}
