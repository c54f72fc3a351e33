import { ANSWERS } from './suite-answers.ts';

/** How what the suite asks for is said to a server whose one tool runs programs. */

const SERVER = 'suite';

/** Programs of the tools that need more than one plain call. */
const SPECIAL: Readonly<Record<string, string>> = {
  test_tool_with_progress: 'for (let i = 0; i < 4; i++) { await callTool("suite", "test_simple_text"); await sleep(300); }\nreturn "done";',
  test_tool_with_logging:
    'console.info("Tool execution started"); console.info("Tool processing data"); console.info("Tool execution completed");\nreturn "logged";',
  test_input_required_result_multi_round:
    'const ask = () => callTool("suite", "test_input_required_result_multi_round").catch(String);\nawait ask();\nreturn await ask();',
  multi_input: 'return await Promise.allSettled([1, 2].map((each) => callTool("suite", "multi_input", { each })));',
  greet: 'const { name } = input as { name: string };\nreturn `Hello, ${name}!`;',
  slow_compute: 'const { seconds = 0 } = input as { seconds?: number };\nawait sleep(seconds * 1_000);\nreturn "computed";',
  failing_job: 'await sleep(1_000);\nthrow new Error("The job failed.");',
};

/** Prompts and resources of the suite, and ours that have the same form. */
const PROMPT = 'solve';
const PROMPTS = new Set(['test_simple_prompt', 'test_prompt_with_arguments']);
const RESOURCE = 'skill://solve-with-code/SKILL.md';

/** The program that calls a tool of the suite, and returns what the tool answered. */
export function programOf(tool: string): string {
  const body = SPECIAL[tool] ?? `return await callTool("${SERVER}", ${JSON.stringify(tool)}, input);`;
  return `import { callTool } from 'ampoule';\nconst sleep = (ms: number) => new Promise<void>((done) => setTimeout(done, ms));\n${body}`;
}

interface Message {
  readonly method?: unknown;
  params?: { name?: unknown; uri?: unknown; arguments?: object };
}

/** The name that a message is about, where the suite named something of its own; undefined when it is sent on as it is. */
export function translate(message: Message): string | undefined {
  const { method, params } = message;
  if (params === undefined) return undefined;
  if (method === 'tools/call' && typeof params.name === 'string' && Object.hasOwn(ANSWERS, params.name)) {
    params.arguments = { code: programOf(params.name), input: params.arguments ?? {} };
    return (params.name = 'execute_code');
  }
  if (method === 'prompts/get' && PROMPTS.has(String(params.name))) {
    params.arguments = { task: Object.values(params.arguments ?? {}).join(' and ') || 'sum a column' };
    return (params.name = PROMPT);
  }
  if (method === 'resources/read' && params.uri === 'test://static-text') return (params.uri = RESOURCE);
  return undefined;
}
