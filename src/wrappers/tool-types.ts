import { compileTypes } from './compile-types.ts';
import { readSchema, SchemaTooLarge } from './read-schema.ts';
import { settleModel } from './settle-model.ts';
import { blockComment } from './text.ts';
import type { TypeModel, TypeNode } from './type-model.ts';

/** The declarations for one schema. `model` is undefined where the schema was of no use and the type is a loose one. */
export interface SchemaTypes {
  readonly text: string;
  readonly model: TypeModel | undefined;
  /** Whether an empty object meets the type. */
  readonly acceptsEmpty: boolean;
}

/** The type `name` for a tool's arguments: always an object, whatever the schema says. */
export async function inputTypes(schema: unknown, name: string): Promise<SchemaTypes> {
  const loose = 'Record<string, unknown>';
  try {
    const model = settleModel(readSchema(schema, name));
    const root = model.definitions.get(name);
    if (root === undefined || !isObject(root, model)) return looseTypes(name, loose, 'it does not describe an object');
    const closed = root.kind === 'object' && root.properties.length === 0 && root.rest === undefined;
    const text = closed ? `export type ${name} = Record<string, never>;\n` : await compileTypes(model);
    return { text, model, acceptsEmpty: acceptsEmpty(root, model) };
  } catch (thrown) {
    return looseTypes(name, loose, reason(thrown));
  }
}

/** The type `name` for a tool's structured result; `unknown` when there is no schema. */
export async function outputTypes(schema: unknown, name: string): Promise<SchemaTypes> {
  if (schema === undefined) return { text: `export type ${name} = unknown;\n`, model: undefined, acceptsEmpty: false };
  try {
    const model = settleModel(readSchema(schema, name));
    return { text: await compileTypes(model), model, acceptsEmpty: false };
  } catch (thrown) {
    return looseTypes(name, 'unknown', reason(thrown));
  }
}

function looseTypes(name: string, type: string, why: string): SchemaTypes {
  const comment = blockComment([`The server's schema could not be turned into a type: ${why}.`]);
  return { text: `${comment}\nexport type ${name} = ${type};\n`, model: undefined, acceptsEmpty: true };
}

function reason(thrown: unknown): string {
  // Any other error comes from inside the library, and its text may quote the schema.
  return thrown instanceof SchemaTooLarge ? thrown.message : 'it is broken';
}

function isObject(node: TypeNode, model: TypeModel): boolean {
  switch (node.kind) {
    case 'object':
      return true;
    case 'reference':
      return isObject(model.definitions.get(node.name) ?? { kind: 'unknown' }, model);
    case 'union':
      return node.members.every((member) => isObject(member, model));
    case 'intersection':
      return node.members.some((member) => isObject(member, model));
    case 'unknown':
    case 'never':
    case 'primitive':
    case 'literals':
    case 'array':
    case 'tuple':
      return false;
  }
}

function acceptsEmpty(node: TypeNode, model: TypeModel): boolean {
  if (node.kind === 'object') return node.properties.every((property) => !property.required);
  if (node.kind === 'reference') return acceptsEmpty(model.definitions.get(node.name) ?? { kind: 'never' }, model);
  if (node.kind === 'union') return node.members.some((member) => acceptsEmpty(member, model));
  return node.kind === 'intersection' && node.members.every((member) => acceptsEmpty(member, model));
}
