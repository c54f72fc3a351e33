import { compare } from './contenders/compare.ts';
import { answerSize } from './curves/answer-size.ts';
import { catalogSize } from './curves/catalog-size.ts';
import { concurrency } from './curves/concurrency.ts';
import { programSize } from './curves/program-size.ts';
import { sleepingRuns } from './curves/sleeping-runs.ts';
import { toolCalls } from './curves/tool-calls.ts';
import { waitingRuns } from './curves/waiting-runs.ts';
import { checkMemory } from './measures/check-memory.ts';
import { componentize } from './measures/componentize.ts';
import { executor } from './measures/executor.ts';
import { hibernation } from './measures/hibernation.ts';
import { metering } from './measures/metering.ts';
import { http } from './measures/over-http.ts';
import { pool } from './measures/pool.ts';
import { start } from './measures/start.ts';
import { stops } from './measures/stops.ts';
import { typeCheck } from './measures/type-check.ts';
import { tokens } from './measures/tokens.ts';
import type { Part } from './part.ts';

/** Everything that the suite measures, in this order. */
export const PARTS: readonly Part[] = [
  pool,
  http,
  typeCheck,
  checkMemory,
  componentize,
  executor,
  stops,
  waitingRuns,
  hibernation,
  sleepingRuns,
  start,
  metering,
  tokens,
  compare,
  programSize,
  catalogSize,
  toolCalls,
  concurrency,
  answerSize,
];
