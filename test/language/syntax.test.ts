import { describe } from 'vitest';
import { compareWithNode, openOurs } from './differential.ts';

const ours = openOurs();

describe.each(['syntax', 'classes', 'typescript', 'async', 'collections', 'errors'])('%s', (area) => {
  compareWithNode(area, ours);
});
