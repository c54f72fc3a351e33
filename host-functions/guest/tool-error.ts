import { cut, defineProperty, freeze, hasOwn, plain } from './primordials.ts';

interface ToolErrorDetails {
  code: string;
  server: string;
  tool: string;
  hint: string | undefined;
  content: unknown;
}

/** A tool call that failed. Frozen as a class, so that a program cannot put code of its own into the runtime's `new`. */
export class ToolError extends Error {
  readonly code: string;
  readonly server: string;
  readonly tool: string;
  readonly hint: string | undefined;
  readonly content: unknown;

  constructor(message: string, details: ToolErrorDetails) {
    super(message);
    defineProperty(this, 'name', plain({ value: 'ToolError', writable: true, configurable: true, enumerable: false }));
    this.code = details.code;
    this.server = details.server;
    this.tool = details.tool;
    this.hint = details.hint;
    this.content = details.content;
  }
}
defineProperty(ToolError, 'name', { value: 'ToolError', configurable: true });
freeze(ToolError.prototype);
freeze(ToolError);

/** A {@link ToolError} from what the host answered; whatever is missing or of the wrong type gets a plain default. */
export function toolErrorFrom(answer: object, server: string, tool: string): ToolError {
  const text = (key: string): string | undefined => {
    const value = hasOwn(answer, key) ? (answer as Record<string, unknown>)[key] : undefined;
    return typeof value === 'string' ? value : undefined;
  };
  const content = hasOwn(answer, 'content') ? (answer as { content: unknown }).content : undefined;
  const details = { code: text('code') ?? 'ERR_CALL_TOOL', server: cut(server, 256), tool: cut(tool, 256), hint: text('hint'), content };
  return new ToolError(text('message') ?? 'the tool call failed', details);
}
