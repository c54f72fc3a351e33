import { describe } from 'vitest';
import { compareWithNode } from './differential.ts';

describe.each(['strings', 'regexp', 'numbers', 'dates', 'bytes', 'web', 'intl'])('%s', (area) => {
  compareWithNode(area);
});
