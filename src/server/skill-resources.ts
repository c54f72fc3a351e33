import { type McpServer, type Resource, ResourceNotFoundError, ResourceTemplate } from '@modelcontextprotocol/server';
import { nearestNames } from '../nearest-name.ts';
import type { SandboxPort } from './sandbox-port.ts';

const PREFIX = 'ampoule://skills/';
const TEMPLATE = `${PREFIX}{name}.ts`;
const MIME_TYPE = 'text/typescript';
const DESCRIPTION_CHARS = 200;

/** The skills as resources, where there are any. The listing is {@link skillListing}. */
export function registerSkillResources(server: McpServer, port: SandboxPort): void {
  if (port.description().skills !== true) return;
  const complete = { name: (value: string) => namesOf(port).filter((name) => name.startsWith(value)) };
  const template = new ResourceTemplate(TEMPLATE, { list: undefined, complete });
  const config = { title: 'Skills', description: 'TypeScript of a saved module.', mimeType: MIME_TYPE };
  server.registerResource('skills', template, config, (uri) => {
    const name = uri.href.slice(PREFIX.length, -'.ts'.length);
    const skill = port.listSkills().find((candidate) => candidate.name === name);
    if (skill === undefined) throw notFound(uri.href, name, port);
    return { contents: [{ uri: uri.href, mimeType: MIME_TYPE, text: skill.code }] };
  });
}

/** Every skill as it is listed. */
export function skillListing(port: SandboxPort): readonly Resource[] {
  return port.listSkills().map(({ name, description }) => {
    return {
      uri: `${PREFIX}${name}.ts`,
      name: `skills/${name}`,
      description: description.slice(0, DESCRIPTION_CHARS).toWellFormed(),
      mimeType: MIME_TYPE,
    };
  });
}

function namesOf(port: SandboxPort): string[] {
  return port.listSkills().map(({ name }) => name);
}

function notFound(uri: string, name: string, port: SandboxPort): ResourceNotFoundError {
  const [near] = nearestNames(name, namesOf(port));
  const hint = near === undefined ? '' : ` Did you mean ${PREFIX}${near}.ts?`;
  return new ResourceNotFoundError(uri, `There is no skill ${uri.slice(0, 200)}.${hint}`);
}
