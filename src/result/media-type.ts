/** First bytes by media type. A type that is not here is believed as long as it is one. */
const SIGNATURES: Readonly<Record<string, (head: Buffer) => boolean>> = {
  'image/png': (head) => head.subarray(0, 8).equals(Buffer.from('89504e470d0a1a0a', 'hex')),
  'image/jpeg': (head) => head[0] === 0xff && head[1] === 0xd8 && head[2] === 0xff,
  'image/jpg': (head) => head[0] === 0xff && head[1] === 0xd8 && head[2] === 0xff,
  'image/gif': (head) => /^GIF8[79]a/.test(head.toString('latin1')),
  'image/webp': (head) => /^RIFF[^]{4}WEBP/.test(head.toString('latin1')),
  'image/bmp': (head) => head.toString('latin1').startsWith('BM'),
  'image/tiff': (head) => /^(?:II\*\0|MM\0\*)/.test(head.toString('latin1')),
  'image/avif': (head) => head.toString('latin1', 4, 8) === 'ftyp',
  'image/heic': (head) => head.toString('latin1', 4, 8) === 'ftyp',
  'image/svg+xml': (head) => /^(?:\u00ef\u00bb\u00bf)?\s*</.test(head.toString('latin1')),
  'audio/wav': (head) => /^RIFF[^]{4}WAVE/.test(head.toString('latin1')),
  'audio/x-wav': (head) => /^RIFF[^]{4}WAVE/.test(head.toString('latin1')),
  'audio/mpeg': (head) => head.toString('latin1', 0, 3) === 'ID3' || (head[0] === 0xff && ((head[1] ?? 0) & 0xe0) === 0xe0),
  'audio/mp3': (head) => head.toString('latin1', 0, 3) === 'ID3' || (head[0] === 0xff && ((head[1] ?? 0) & 0xe0) === 0xe0),
  'audio/ogg': (head) => head.toString('latin1', 0, 4) === 'OggS',
  'audio/flac': (head) => head.toString('latin1', 0, 4) === 'fLaC',
  'audio/mp4': (head) => head.toString('latin1', 4, 8) === 'ftyp',
  'audio/webm': (head) => head.subarray(0, 4).equals(Buffer.from('1a45dfa3', 'hex')),
};
/** Characters of base64 whose bytes are looked at. */
const HEAD_CHARACTERS = 64;

/** Why base64 is no image or audio of that media type; undefined when it is one, as far as its first bytes tell. */
export function mediaProblem(kind: 'image' | 'audio', mimeType: unknown, head: string): string | undefined {
  if (typeof mimeType !== 'string') return 'it has no mimeType';
  const essence = (mimeType.split(';', 1)[0] ?? '').trim().toLowerCase();
  if (!new RegExp(`^${kind}/[a-z0-9][a-z0-9.+-]{0,100}$`).test(essence)) return `its mimeType is no type of ${kind}`;
  if (head === '') return 'its data is empty';
  const matches = Object.hasOwn(SIGNATURES, essence) ? SIGNATURES[essence] : undefined;
  const bytes = Buffer.from(head.slice(0, HEAD_CHARACTERS), 'base64');
  return matches === undefined || matches(bytes) ? undefined : `its first bytes are not those of ${essence}`;
}
