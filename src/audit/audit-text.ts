import type { AuditEvent, AuditLine } from './audit-event.ts';

/** Longest text of a line but for values, in characters: names may be anybody's. */
const MAX_CHARS = 512;
/** What readers of lines take for an end of a line, or terminals for a command. JSON text has these inside of strings only. */
const HARMFUL = /[\u007F-\u009F\u200B\u200E\u200F\u2028-\u202E\u2060-\u206F\uFEFF]/g;

/** The event with all texts well-formed and bounded, whoever made them, and without members that say nothing. */
export function boundedEvent(event: AuditEvent): AuditEvent {
  const members = Object.entries(event).flatMap(([name, value]: [string, unknown]) => {
    if (value === undefined) return [];
    return [[name, typeof value === 'string' ? value.slice(0, MAX_CHARS).toWellFormed() : value]];
  });
  return Object.fromEntries(members) as AuditEvent; // the same members, with shorter texts
}

/** A line of the file: one JSON object, its time in ISO 8601, in one line whatever is in it. */
export function lineText({ time, ...event }: AuditLine): string {
  return JSON.stringify({ time: new Date(time).toISOString(), ...event }).replace(
    HARMFUL,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
