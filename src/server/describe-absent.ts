/** What programs cannot have, in the description of `execute_code`: one line, kept to what the language really lacks. */
export const ABSENT = 'Absent: fetch, process, require, fs, Buffer, Blob, streams, DOM, threads; local time is UTC';
