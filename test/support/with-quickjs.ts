import type { TestProject } from 'vitest/node';
import { provideEngine } from './global-setup.ts';

export const setup = (project: TestProject): Promise<void> => provideEngine(project, 'quickjs');
