/** Why a host function says no, in words for the program's author. The codes are those of `src/errors.ts`. */
export class HostFunctionError extends Error {
  override readonly name = 'HostFunctionError';
  readonly code: string;
  readonly hint: string | undefined;

  constructor(code: string, message: string, hint?: string) {
    super(message);
    this.code = code;
    this.hint = hint;
  }

  /** The JSON text that `read-file` of `world.wit` gives as its error. */
  toJsonText(): string {
    const { code, message, hint } = this;
    return JSON.stringify(hint === undefined ? { code, message } : { code, message, hint });
  }
}
