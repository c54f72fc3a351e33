/** Name of the tool that runs programs. */
export const TOOL_NAME = 'execute_code';
/** Name of the tool that waits for a run which goes on. */
export const WAIT_TOOL_NAME = 'wait_execution';
/** Name of the tool that ends one. */
export const CANCEL_TOOL_NAME = 'cancel_execution';
