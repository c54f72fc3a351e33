import { UNITS } from 'ampoule:late-units';
import { LookupSupportedLocales, ResolveLocale } from './locale-matcher.ts';
import { supportedValuesOf } from './supported-values.ts';

type Unit = (unit: { value?: unknown }, shared: object) => void;

// The engine's own, before programs get one that refuses some texts.
// oxlint-disable-next-line no-eval -- of texts that the bundler made
const evaluate = globalThis.eval as (text: string) => Unit;
const shared = {
  LookupSupportedLocales,
  ResolveLocale,
  supportedValuesOf,
  get BigDecimal(): unknown {
    return lateUnit<{ BigDecimal: unknown }>('Decimal').BigDecimal;
  },
  get Decimal(): unknown {
    return lateUnit<{ Decimal: unknown }>('Decimal').Decimal;
  },
};
const values = new Map<string, unknown>();

/** A part of `Intl` that is in the image as text, evaluated at the first use: see `src/bundle/language/late-units.ts`. */
export function lateUnit<T>(name: string, prepare: (value: T) => void = () => undefined): T {
  if (!values.has(name)) {
    const unit: { value?: unknown } = {};
    evaluate(UNITS[name])(unit, shared);
    prepare(unit.value as T);
    values.set(name, unit.value);
  }
  return values.get(name) as T;
}
