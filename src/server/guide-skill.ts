import type { McpServer, Resource } from '@modelcontextprotocol/server';
import { type Skill, skillEntry, SkillsExtension, type SkillSource } from '@modelcontextprotocol/server/ext/skills';
import { guideText } from './guide.ts';
import type { SandboxPort } from './sandbox-port.ts';

const PATH = 'solve-with-code';
const DESCRIPTION = 'Solve tasks that need tools with execute_code.';
const MIME_TYPE = 'text/markdown';

const extensions = new WeakMap<SandboxPort, GuideSkill>();

/** Serves the guide as an MCP skill. Returns what it has to list among the resources. */
export function registerGuideSkill(server: McpServer, port: SandboxPort): () => Promise<Resource[]> {
  const guide = extensions.get(port) ?? new GuideSkill(port);
  extensions.set(port, guide);
  guide.extension.attach(server);
  return async () => [resourceOf(await guide.entry())];
}

/** One for all servers of a port, because an entry takes a hash to make. */
class GuideSkill {
  readonly extension: SkillsExtension;
  readonly #port: SandboxPort;
  #last: { readonly text: string; readonly entry: Promise<Skill> } | undefined;

  constructor(port: SandboxPort) {
    this.#port = port;
    const source: SkillSource = {
      list: async () => ({ skills: [await this.entry()] }),
      get: async (uri) => {
        const entry = await this.entry();
        return entry.uri === uri ? entry : undefined;
      },
      read: async (uri) => ((await this.entry()).uri === uri ? { text: this.#text(), mimeType: MIME_TYPE } : undefined),
    };
    this.extension = new SkillsExtension({ source });
  }

  entry(): Promise<Skill> {
    const text = this.#text();
    if (this.#last?.text !== text) this.#last = { text, entry: skillEntry(PATH, { 'SKILL.md': text }) };
    return this.#last.entry;
  }

  #text(): string {
    return `---\nname: ${PATH}\ndescription: ${DESCRIPTION}\n---\n\n${guideText(this.#port.description())}`;
  }
}

function resourceOf({ uri, frontmatter }: Skill): Resource {
  return { uri, name: frontmatter.name, description: frontmatter.description, mimeType: MIME_TYPE };
}
