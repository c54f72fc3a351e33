/** Bounds on what a stranger's schema may cost. Past one of them the type becomes looser, never an error. */
export const BOUNDS = {
  /** Nodes that one schema may have; time is linear in it. */
  nodes: 2_000,
  /** Nesting, in the schema's own text; `$ref` begins at 0 again. */
  depth: 40,
  /** Values of one enum. */
  literals: 500,
  /** UTF-16 units of one literal or one property's name. */
  literalLength: 1_000,
  /** Alternatives that TypeScript would have to multiply out in one type. */
  alternatives: 2_000,
  /** UTF-16 units of one generated type. */
  typeText: 64 * 1024,
  /** UTF-16 units of a tool's description. */
  toolDoc: 4_096,
  /** UTF-16 units of one property's description. */
  propertyDoc: 1_024,
  /** UTF-16 units of a signature. */
  signature: 300,
} as const;
