/** Depth and number of values of parsed JSON. Walks without recursion and stops once one of the bounds is passed. */
export function measureJson(value: unknown, maxDepth: number, maxNodes: number): { depth: number; nodes: number } {
  let depth = 0;
  let nodes = 1;
  let level: unknown[] = [value];
  while (depth <= maxDepth && nodes <= maxNodes) {
    const containers = level.filter((item) => typeof item === 'object' && item !== null);
    if (containers.length === 0) break;
    depth++;
    level = [];
    for (const container of containers) {
      const children: unknown[] = Array.isArray(container) ? container : Object.values(container);
      nodes += children.length;
      if (nodes > maxNodes) break;
      for (const child of children) level.push(child);
    }
  }
  return { depth, nodes };
}
