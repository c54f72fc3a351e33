import { BOUNDS } from './bounds.ts';
import { commentText } from './text.ts';

const FACTS = [
  ['default', 'Default'],
  ['format', 'Format'],
  ['pattern', 'Pattern'],
  ['minimum', 'Minimum'],
  ['exclusiveMinimum', 'More than'],
  ['maximum', 'Maximum'],
  ['exclusiveMaximum', 'Less than'],
  ['minLength', 'Minimum length'],
  ['maxLength', 'Maximum length'],
  ['minItems', 'Minimum items'],
  ['maxItems', 'Maximum items'],
] as const;

/**
 * What a schema says about a value in words, and what its keywords say that a type cannot, as text for a block comment. Not its
 * title: most are the property's name again, made by a generator.
 */
export function schemaDoc(schema: Readonly<Record<string, unknown>>): string {
  const description = textOf(schema['description']);
  const facts = FACTS.flatMap(([key, label]) => {
    const value = schema[key];
    const plain = typeof value === 'string' || typeof value === 'number' || (key === 'default' && typeof value === 'boolean');
    return plain ? [`${label}: ${JSON.stringify(value).slice(0, 200)}.`] : [];
  });
  if (schema['deprecated'] === true) facts.unshift('Deprecated.');
  return commentText([description, facts.join(' ')].filter((text) => text !== '').join('\n'), BOUNDS.propertyDoc);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, BOUNDS.propertyDoc * 2) : '';
}
