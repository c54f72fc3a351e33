/* oxlint-disable no-extend-native, typescript/unbound-method -- to put natives right is what this file is for */
/** Comes first of all: the rest of the runtime takes the functions that are put in place here. */
const { apply } = Reflect;
const { slice } = String.prototype;
const ENGINES_OWN = ' (UTC)';

/** `… GMT+0000`, with the engine's short name of the zone or none, becomes `… GMT+0000 (Coordinated Universal Time)`, as in Node and browsers. */
function nameTimeZone(name: 'toString' | 'toTimeString'): void {
  const native = Date.prototype[name];
  const extra = apply(native, new Date(0), []).endsWith(ENGINES_OWN) ? ENGINES_OWN.length : 0;
  const method = {
    [name](this: Date): string {
      const text = apply(native, this, []);
      return text === 'Invalid Date' ? text : `${apply(slice, text, [0, text.length - extra])} (Coordinated Universal Time)`;
    },
  };
  Object.defineProperty(Date.prototype, name, { value: method[name], writable: true, configurable: true, enumerable: false });
}

nameTimeZone('toString');
nameTimeZone('toTimeString');
