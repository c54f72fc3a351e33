import { describe } from 'vitest';
import { compareWithNode } from './differential.ts';

describe.each(['algorithms', 'data', 'semantics', 'ordering', 'kinds'])('%s', (area) => {
  compareWithNode(area);
});
