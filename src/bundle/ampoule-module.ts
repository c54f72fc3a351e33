/** Every name that `import ... from "ampoule"` can have. */
export const AMPOULE_EXPORTS = ['callTool', 'readFile', 'getState', 'setState', 'log', 'ToolError', 'sleep'] as const;

/** The module `ampoule` in a bundle. */
export const AMPOULE = { space: 'ampoule', path: 'host' } as const;

/** Its text: each export reads from the script's parameter `ampoule`. Pure, so that what a program does not import is left out. */
export const AMPOULE_MODULE = AMPOULE_EXPORTS.map((name) => `export const ${name} = /* @__PURE__ */ (() => ampoule.${name})();`).join('\n');
