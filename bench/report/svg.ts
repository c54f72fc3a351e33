/** Attributes of an element; undefined ones are left out. */
export type Attributes = Readonly<Record<string, string | number | undefined>>;

/** An SVG or HTML element as text. Children are markup: escape what is not. */
export function element(name: string, attributes: Attributes = {}, ...children: readonly string[]): string {
  const list = Object.entries(attributes)
    .filter((entry): entry is [string, string | number] => entry[1] !== undefined)
    .map(([key, value]) => ` ${key}="${escapeText(typeof value === 'number' ? rounded(value) : value)}"`)
    .join('');
  return `<${name}${list}>${children.join('')}</${name}>`;
}

/** Text inside of an SVG. */
export function label(text: string, attributes: Attributes): string {
  return element('text', attributes, escapeText(text));
}

/** A polyline through points. */
export function pathThrough(points: readonly (readonly [number, number])[]): string {
  return points.map(([x, y], at) => `${at === 0 ? 'M' : 'L'}${rounded(x)} ${rounded(y)}`).join('');
}

export function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** About how wide a bold text is, in pixels. There is nobody to ask while the page is made. */
export function widthOf(text: string, fontSize = 12): number {
  return text.length * fontSize * 0.64;
}

function rounded(value: number): string {
  return String(Math.round(value * 10) / 10);
}
