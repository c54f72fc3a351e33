import { expect, test } from 'vitest';
import { createToolFilter } from '../../src/upstream/tool-filter.ts';

for (const [allow, deny, yes, no] of [
  [['*'], [], ['a', 'a/b', '.hidden', '..', '.', 'x\\y', 'line\nbreak', ''], []],
  [['*'], ['*'], [], ['a', 'a/b', '.hidden', '..', '.', 'line\nbreak']],
  [['*'], ['admin*'], ['list', 'Admin'], ['admin', 'admin/x', 'admin.y']],
  [['get_*', 'list'], [], ['get_', 'get_a/b', 'list'], ['list2', 'forget_a']],
  [['{read,write}_?'], ['write_x'], ['read_x', 'write_y'], ['write_x', 'read_xy']],
  [['!a'], [], ['!a'], ['a', 'b']],
  [[], [], [], ['a']],
] as const) {
  test(`allow ${JSON.stringify(allow)} and deny ${JSON.stringify(deny)} decide on the whole name`, () => {
    const allowed = createToolFilter({ allow, deny });
    expect(yes.filter((name) => !allowed(name))).toEqual([]);
    expect(no.filter((name) => allowed(name))).toEqual([]);
  });
}
