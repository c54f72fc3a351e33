import type { Field, SchemaOutline, ToolOutline } from './outline.ts';

const MAX_CHANGES = 6;

/** What has changed between two outlines of a tool, a few words each; nothing when no program can notice. */
export function compareOutlines(before: ToolOutline, after: ToolOutline): string[] {
  const changes = [...compareInput(before.input, after.input), ...compareOutput(before.output, after.output)];
  const more = changes.length - MAX_CHANGES;
  return more <= 0 ? changes : [...changes.slice(0, MAX_CHANGES), `${more} more changes`];
}

function compareInput(before: SchemaOutline, after: SchemaOutline): string[] {
  if (before.hash === after.hash) return [];
  const changes = compareFields(before, after, {
    added: (name, field) => `argument ${name} was added${field.required ? ' and is required' : ''}`,
    gone: (name) => `argument ${name} is gone`,
    required: (name) => `argument ${name} is now required`,
    optional: (name) => `argument ${name} is no longer required`,
    type: (name, old, now) => `argument ${name} ${typeChange(old, now, 'takes')}`,
  });
  return changes.length > 0 ? changes : ['what it takes changed in a detail'];
}

function compareOutput(before: SchemaOutline | null, after: SchemaOutline | null): string[] {
  if (before === null || after === null) {
    if (before === after) return [];
    return [before === null ? 'the type of its result is now declared' : 'the type of its result is no longer declared'];
  }
  if (before.hash === after.hash) return [];
  if (before.type !== after.type) return [`its result is now ${after.type}, it was ${before.type}`];
  const changes = compareFields(before, after, {
    added: (name) => `result.${name} was added`,
    gone: (name) => `result.${name} is gone`,
    required: (name) => `result.${name} is now always there`,
    optional: (name) => `result.${name} is no longer always there`,
    type: (name, old, now) => `result.${name} ${typeChange(old, now, 'has')}`,
  });
  return changes.length > 0 ? changes : ['its result changed in a detail'];
}

interface Words {
  added(name: string, field: Field): string;
  gone(name: string): string;
  required(name: string): string;
  optional(name: string): string;
  type(name: string, before: Field, after: Field): string;
}

/** In the order in which they matter to a program: what breaks it first. */
function compareFields(before: SchemaOutline, after: SchemaOutline, words: Words): string[] {
  const [gone, changed, added]: [string[], string[], string[]] = [[], [], []];
  const old = new Map(Object.entries(before.fields));
  for (const [name, field] of Object.entries(after.fields)) {
    const was = old.get(name);
    old.delete(name);
    const shown = JSON.stringify(name);
    if (was === undefined) added.push(words.added(shown, field));
    else {
      if (was.hash !== field.hash) changed.push(words.type(shown, was, field));
      if (was.required !== field.required) changed.push(field.required ? words.required(shown) : words.optional(shown));
    }
  }
  for (const name of old.keys()) gone.push(words.gone(JSON.stringify(name)));
  return [...gone, ...changed, ...added];
}

function typeChange(before: Field, after: Field, verb: string): string {
  return before.type === after.type ? `${verb} other values than before (${after.type})` : `is now ${after.type}, it was ${before.type}`;
}
