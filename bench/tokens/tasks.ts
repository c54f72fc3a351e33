import type { Task } from './task.ts';
import { errorReport } from './tasks/error-report.ts';
import { largestDocuments } from './tasks/largest-documents.ts';
import { renameOption } from './tasks/rename-option.ts';
import { serviceMap } from './tasks/service-map.ts';
import { topCustomers } from './tasks/top-customers.ts';
import { weatherJournal } from './tasks/weather-journal.ts';

/** The recorded tasks, each of several steps. */
export const TASKS: readonly Task[] = [errorReport, topCustomers, serviceMap, largestDocuments, renameOption, weatherJournal];
