import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CallToolResult } from '@modelcontextprotocol/client';
import { heading, installed, say, startExample } from './server.ts';

/** Rich and large results: an image that a tool made reaches the client as an image, and what is too large is read in pages. */

await using example = await startExample('Images and large results', () => ({
  mcpServers: { everything: installed('everything', 'stdio') },
}));

heading('1. A program passes on what a tool has drawn, with words of its own');
const drawn = await example.call('execute_code', {
  code: `
import { getTinyImage } from "servers/everything";

const { content } = await getTinyImage() as { content: { type: string }[] };
return { title: "The logo of MCP", image: content.find(({ type }) => type === "image") };`.trim(),
});
const image = contentOf(drawn, 'image');
const file = join(example.folder, 'image.png');
const bytes = Buffer.from(image.data, 'base64');
await writeFile(file, bytes);
say(`\nThe client got a ${image.mimeType} of ${bytes.length} bytes, which begins with ${bytes.subarray(1, 4).toString()}.`);

heading('2. Something that only says that it is an image stays data, with a warning');
const fake = await example.execute('return { type: "image", mimeType: "image/png", data: "bm8gaW1hZ2U=" };');

heading('3. A list of 100,000 items: the answer has a preview, and a link to the whole');
const large = await example.call('execute_code', { code: 'return Array.from({ length: 100_000 }, (_, id) => ({ id, square: id * id }));' });
const link = contentOf(large, 'resource_link');
const page = `${link.uri}?offset=77777&limit=2`;
say(`\n→ resources/read ${page}`);
const { contents } = await example.client.readResource({ uri: page });
for (const content of contents) say(`← ${'text' in content ? content.text : content.uri}`);

heading('4. The next program reads it, too, and needs no more than a piece of it');
const path = link.uri.slice('ampoule://'.length);
const again = await example.execute(
  `
import { readFile } from "ampoule";

const piece = JSON.parse(await readFile(input + "?offset=99990&limit=10"));
return piece.at(-1);`,
  { input: path },
);

const isRight =
  bytes.subarray(1, 4).toString() === 'PNG' &&
  JSON.stringify(fake['warnings']).includes('WARN_CONTENT_INVALID') &&
  JSON.stringify(contents).includes('77778') &&
  JSON.stringify(again['result']) === '{"id":99999,"square":9999800001}';
process.exitCode = isRight ? 0 : 1;

/** The first content block of a type. */
function contentOf<Type extends CallToolResult['content'][number]['type']>(
  { content }: CallToolResult,
  type: Type,
): Extract<CallToolResult['content'][number], { type: Type }> {
  const found = content.find((block) => block.type === type);
  if (!found) throw new Error(`The answer has no content of the type ${type}.`);
  return found as Extract<CallToolResult['content'][number], { type: Type }>;
}
