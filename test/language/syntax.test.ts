import { describe } from 'vitest';
import { compareWithNode } from './differential.ts';

describe.each(['syntax', 'classes', 'typescript', 'async', 'collections', 'errors'])('%s', (area) => {
  compareWithNode(area);
});
