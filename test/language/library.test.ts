import { describe } from 'vitest';
import { compareWithNode, openOurs } from './differential.ts';

const ours = openOurs();

describe.each(['strings', 'regexp', 'numbers', 'dates', 'bytes', 'web', 'intl'])('%s', (area) => {
  compareWithNode(area, ours);
});
