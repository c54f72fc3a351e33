import * as p from '../primordials.ts';

/** Where the bindings look for the exports that are async functions, by name, at each call. */
const BRIDGE = '__cqjs';
const EXPORTS = ['start', 'resume'] as const;

type Functions = Record<string, (...args: never[]) => unknown>;

/**
 * The bindings call their functions through a global. It stays, because they would end the engine without it, but no program can
 * replace it or list it, and it leads to the two functions only. A program that calls them disturbs its own run.
 */
export function sealBridge(): void {
  const globals = globalThis as unknown as Record<typeof BRIDGE, { asyncExports: Functions }>;
  const functions: Functions = {};
  for (const name of EXPORTS) {
    const found = globals[BRIDGE].asyncExports[name];
    if (found !== undefined) functions[name] = p.freeze(found);
  }
  const value = p.freeze(p.plain({ asyncExports: p.freeze(p.plain(functions)) }));
  p.defineProperty(globalThis, BRIDGE, { value, writable: false, enumerable: false, configurable: false });
  hideFrom(Reflect, 'ownKeys');
  hideFrom(Object as unknown as Functions, 'getOwnPropertyNames');
  hideDescriptor();
}

export function isBridge(key: PropertyKey): boolean {
  return key === BRIDGE;
}

function hideFrom(owner: Functions, name: string): void {
  const native = owner[name] as unknown as (target: unknown) => unknown[];
  const method = {
    [name](target: unknown): unknown[] {
      const keys = native(target);
      return target === globalThis ? withoutBridge(keys) : keys;
    },
  };
  p.defineProperty(owner, name, { value: method[name], writable: true, configurable: true, enumerable: false });
}

function withoutBridge(keys: unknown[]): unknown[] {
  let kept = 0;
  for (let i = 0; i < keys.length; i++) if (keys[i] !== BRIDGE) keys[kept++] = keys[i];
  keys.length = kept;
  return keys;
}

function hideDescriptor(): void {
  const native = Object.getOwnPropertyDescriptors;
  const method = {
    getOwnPropertyDescriptors(target: object): object {
      const descriptors = native(target) as Record<string, unknown>;
      if (target === globalThis) delete descriptors[BRIDGE];
      return descriptors;
    },
  };
  // oxlint-disable-next-line typescript/unbound-method -- it has no use for its owner
  const value = method.getOwnPropertyDescriptors;
  p.defineProperty(Object, 'getOwnPropertyDescriptors', { value, writable: true, configurable: true, enumerable: false });
}
