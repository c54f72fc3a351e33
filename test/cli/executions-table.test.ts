import { expect, test } from 'vitest';
import { executionsTable } from '../../src/cli/executions-table.ts';
import type { ExecutionSummary } from '../../src/execution/execution-store.ts';

function summary(id: string): ExecutionSummary {
  return { id, principal: 'local', status: 'running', createdAt: 0, toolCalls: 0, fuel: 0, hibernations: 0, imageBytes: 0 };
}

test('a list of executions shortens ids as far as they stay apart', () => {
  const ids = ['exe_12345678-a', 'exe_12345678-b', 'exe_87654321-a', 'exe_'];
  const lines = executionsTable(ids.map(summary), false, false).split('\n');
  expect(lines.slice(1, 5).map((line) => line.split(' ')[0])).toEqual(['exe_12345678-a', 'exe_12345678-b', 'exe_87654321', 'exe_']);
});
