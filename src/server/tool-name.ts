/** Name of the tool that runs programs. */
export const TOOL_NAME = 'execute_code';
