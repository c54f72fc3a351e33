/** `wanted`, made longer until it does not occur in the text. */
export function freeName(wanted: string, text: string): string {
  let name = wanted;
  while (text.includes(name)) name += '_';
  return name;
}
