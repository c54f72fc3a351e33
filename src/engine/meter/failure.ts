import { SandboxError } from '../../errors.ts';

/** Where in which module the meter is: for messages only. */
export interface Place {
  module: string;
  /** Index in the function index space, or -1 outside of code. */
  functionIndex: number;
}

/** The one way in which the meter refuses a module. `offset` counts bytes from the start of the module. */
export function refuse(place: Place, offset: number, what: string): never {
  const where = place.functionIndex < 0 ? '' : `, function ${place.functionIndex}`;
  throw new SandboxError('ERR_ENGINE_METER', `The meter refuses module "${place.module}"${where}, offset ${offset}: ${what}.`, {
    hint: 'Build the engine without this WebAssembly feature, or teach it to the meter.',
  });
}
