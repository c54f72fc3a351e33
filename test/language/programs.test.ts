import { describe } from 'vitest';
import { compareWithNode, openOurs } from './differential.ts';

const ours = openOurs();

describe.each(['algorithms', 'data', 'semantics', 'ordering', 'kinds'])('%s', (area) => {
  compareWithNode(area, ours);
});
