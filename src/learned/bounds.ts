/** Bounds on what is learned. Past one of them less is known, and nothing fails. */
export const LEARNED_BOUNDS = {
  /** UTF-16 units of JSON text; larger answers are not looked at. */
  answerText: 128 * 1024,
  /** Values in one answer; answers with more are not looked at. */
  answerValues: 10_000,
  /** Levels of objects and arrays; what is deeper may be anything. */
  depth: 8,
  /** Properties of one object; one with more is a map. */
  properties: 96,
  /** Properties of one object that are not always there; one with more is a map. */
  optionalProperties: 24,
  /** UTF-16 units of one tool's shape as it is stored. */
  shapeText: 16 * 1024,
  /** Tools that something is known about; the one that was not called for the longest time goes first. */
  tools: 2_000,
  /** Answers of a tool that are all looked at, since the start. */
  firstAnswers: 8,
  /** After those, one of so many is. */
  oneAnswerOf: 32,
  /** Answers that wait to be looked at. */
  waiting: 16,
} as const;

const DAY_MS = 24 * 60 * 60 * 1000;

/** Times in milliseconds. */
export const LEARNED_TIMES = {
  /** A tool that was not called for so long is forgotten. */
  forgetAfter: 90 * DAY_MS,
  /** What is known comes from this time and the one before it: a property that is gone for two of them is forgotten. */
  generation: 30 * DAY_MS,
  /** How often it is noted that a tool is still in use. */
  noteUseEvery: DAY_MS,
  /** From an answer with news to the wrapper that has it: news that come together are told together. */
  settle: 500,
  /** Between two changes of the wrappers. */
  betweenChanges: 10_000,
} as const;
