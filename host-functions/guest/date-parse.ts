import { DateScanner, type Token } from './date-tokens.ts';
import { type Day, isBetween, type Time, timeOf, type Zone } from './date-value.ts';
import * as p from './primordials.ts';

/** The usual forms of the standard and of HTTP, which the engines read right, and faster. */
const usual =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?:T(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,3})?)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)?)?$/;
const http =
  /^(?:Sun|Mon|Tue|Wed|Thu|Fri|Sat), (?:0[1-9]|[12]\d|3[01]) (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} (?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d GMT$/;
const nativeParse = p.NativeDate.parse;

/**
 * `Date.parse` as Node and most browsers have it: the forms of the standard first, then whatever people write, read from left to right.
 * The engines' own take days and months for dates that there are not. Local time is UTC.
 */
export function parseDate(text: string): number {
  const isUsual = p.regExpExec(usual, text) !== null || p.regExpExec(http, text) !== null;
  return isUsual ? nativeParse(text) : new DateParser(text).parse();
}

class DateParser {
  readonly #scanner: DateScanner;
  readonly #day: Day = p.plain({ count: 0, a: 1, b: 1, c: 1, month: 0, isIso: false });
  readonly #time: Time = p.plain({ count: 0, hour: 0, minute: 0, second: 0, ms: 0, half: -1 });
  readonly #zone: Zone = p.plain({ sign: 0, hour: -1, minute: -1 });
  #sawNumber = false;

  constructor(text: string) {
    this.#scanner = new DateScanner(text);
  }

  parse(): number {
    let token = this.#standard();
    this.#sawNumber = this.#day.count > 0;
    for (; token !== null && token.kind !== 'end'; token = this.#scanner.next()) if (!this.#step(token)) return NaN;
    return token === null ? NaN : timeOf(this.#day, this.#time, this.#zone);
  }

  /** Reads the form of the standard. Gives back what comes next: the end; a token that is not of that form; null when it is wrong. */
  #standard(): Token | null {
    const scanner = this.#scanner;
    const first = scanner.peek();
    if (isSign(first)) {
      scanner.next();
      if (!isNumber(scanner.peek(), 6) || (first.text === '-' && scanner.peek().value === 0)) return first;
      this.#addDay(scanner.next().value * (first.text === '-' ? -1 : 1));
    } else if (isNumber(first, 4)) this.#addDay(scanner.next().value);
    else return scanner.next();
    for (let most = 12; most <= 31 && scanner.skip('-'); most += 19) {
      if (!isNumber(scanner.peek(), 2) || !isBetween(scanner.peek().value, 1, most)) return scanner.next();
      this.#addDay(scanner.next().value);
    }
    if (scanner.peek().word !== 'T') {
      if (scanner.peek().kind !== 'end') return scanner.next();
    } else if (!this.#standardTime()) return null;
    if (this.#zone.hour === -1 && this.#time.count === 0) this.#setZone(1, 0, 0);
    this.#day.isIso = true;
    return scanner.next();
  }

  #standardTime(): boolean {
    const scanner = this.#scanner;
    scanner.next();
    if (!this.#fixed(24) || !scanner.skip(':')) return false;
    const isLast = this.#time.hour === 24;
    if (!this.#fixed(isLast ? 0 : 59)) return false;
    if (scanner.skip(':')) {
      if (!this.#fixed(isLast ? 0 : 59)) return false;
      if (scanner.skip('.')) {
        if (scanner.peek().kind !== 'number' || (isLast && scanner.peek().value > 0)) return false;
        this.#addTime(milliseconds(scanner.next()));
      }
    }
    return this.#standardZone() && scanner.peek().kind === 'end';
  }

  #standardZone(): boolean {
    const scanner = this.#scanner;
    const first = scanner.peek();
    if (first.word === 'zone' && first.length === 1) {
      scanner.next();
      this.#setZone(1, 0, 0);
    } else if (isSign(first)) {
      scanner.next();
      const whole = isNumber(scanner.peek(), 4);
      if (!whole && !isNumber(scanner.peek(), 2)) return false;
      const { value } = scanner.next();
      if (!whole && (!scanner.skip(':') || !isNumber(scanner.peek(), 2))) return false;
      const hour = whole ? p.trunc(value / 100) : value;
      const minute = whole ? value % 100 : scanner.next().value;
      if (hour > 23 || minute > 59) return false;
      this.#setZone(first.text === '-' ? -1 : 1, hour, minute);
    }
    return true;
  }

  /** Two digits of a time, up to `most`. */
  #fixed(most: number): boolean {
    if (!isNumber(this.#scanner.peek(), 2) || this.#scanner.peek().value > most) return false;
    return this.#addTime(this.#scanner.next().value);
  }

  /** One part of a date that is not in the standard's form; false when there can be none with it. */
  #step(token: Token): boolean {
    if (token.kind === 'number') {
      this.#sawNumber = true;
      return this.#number(token);
    }
    if (token.kind === 'word') return this.#word(token);
    if (isSign(token) && (this.#isUtc() || this.#time.count > 0)) return this.#offset(token);
    return !(this.#sawNumber && (isSign(token) || token.text === ')'));
  }

  #number({ value }: Token): boolean {
    const scanner = this.#scanner;
    if (scanner.skip(':')) {
      if (scanner.skip(':')) return this.#time.count === 0 && this.#addTime(value) && this.#addTime(0);
      if (!this.#addTime(value)) return false;
      if (scanner.peek().text === '.') scanner.next();
      return true;
    }
    if (scanner.skip('.') && this.#expectsTime(value)) {
      this.#addTime(value);
      if (scanner.peek().kind !== 'number') return false;
      this.#addTime(milliseconds(scanner.next()));
      this.#time.count = 4;
      return true;
    }
    if (this.#zone.hour !== -1 && this.#zone.minute === -1 && value < 60) {
      this.#zone.minute = value;
      return true;
    }
    if (this.#expectsTime(value)) {
      this.#addTime(value);
      this.#time.count = 4;
      const after = scanner.peek();
      return after.kind === 'end' || after.kind === 'space' || isSign(after) || (after.word === 'zone' && after.length === 1);
    }
    if (!this.#addDay(value)) return false;
    scanner.skip('-');
    return true;
  }

  #word({ word, value }: Token): boolean {
    if (word === 'half-day' && this.#time.count > 0) this.#time.half = value;
    else if (word === 'month') {
      this.#day.month = value;
      this.#scanner.skip('-');
    } else if (word === 'zone' && this.#sawNumber) this.#setZone(value < 0 ? -1 : 1, value < 0 ? -value : value, 0);
    else return !this.#sawNumber && this.#scanner.peek().kind !== 'number';
    return true;
  }

  #offset({ text }: Token): boolean {
    const sign = text === '-' ? -1 : 1;
    const given = this.#scanner.peek();
    const { value, length } = given.kind === 'number' ? this.#scanner.next() : p.plain({ value: 0, length: 0 });
    this.#sawNumber = true;
    if (this.#scanner.peek().text === ':') this.#setZone(sign, value, -1);
    else if (length === 1 || length === 2) this.#setZone(sign, value, 0);
    else if (length === 3 || length === 4) this.#setZone(sign, p.trunc(value / 100), value % 100);
    else return false;
    return true;
  }

  #isUtc(): boolean {
    return this.#zone.hour === 0 && this.#zone.minute === 0;
  }

  #setZone(sign: number, hour: number, minute: number): void {
    this.#zone.sign = sign;
    this.#zone.hour = hour;
    this.#zone.minute = minute;
  }

  #addDay(value: number): boolean {
    const day = this.#day;
    if (day.count === 0) day.a = value;
    else if (day.count === 1) day.b = value;
    else if (day.count === 2) day.c = value;
    else return false;
    day.count++;
    return true;
  }

  #expectsTime(value: number): boolean {
    const { count } = this.#time;
    return (isBetween(count, 1, 2) && value < 60) || (count === 3 && value < 1000);
  }

  #addTime(value: number): boolean {
    const time = this.#time;
    if (time.count === 0) time.hour = value;
    else if (time.count === 1) time.minute = value;
    else if (time.count === 2) time.second = value;
    else if (time.count === 3) time.ms = value;
    else return false;
    time.count++;
    return true;
  }
}

/** The first three digits of a fraction of a second. */
function milliseconds({ value, length }: Token): number {
  if (length <= 3) return value * (length === 1 ? 100 : length === 2 ? 10 : 1);
  let rest = value;
  for (let digits = p.min(length, 9); digits > 3; digits--) rest /= 10;
  return p.trunc(rest);
}

function isNumber({ kind, length }: Token, digits: number): boolean {
  return kind === 'number' && length === digits;
}

function isSign({ kind, text }: Token): boolean {
  return kind === 'symbol' && (text === '+' || text === '-');
}
