import { countTokens } from 'gpt-tokenizer/encoding/o200k_base';

/** What of a listed tool a client gives to a model: all model interfaces take these three and no more. */
export interface ModelTool {
  readonly name: string;
  readonly description?: string | undefined;
  readonly inputSchema: unknown;
}

/** Tokens of a value as JSON, or of a text as it is, by o200k_base. */
export function tokensOf(value: unknown): number {
  return countTokens(typeof value === 'string' ? value : JSON.stringify(value));
}

/** Tokens of tool definitions as a model gets them. */
export function definitionTokens(tools: readonly ModelTool[]): number {
  return tools.reduce((sum, { name, description, inputSchema }) => sum + tokensOf({ name, description, inputSchema }), 0);
}
