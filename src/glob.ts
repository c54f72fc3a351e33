import picomatch from 'picomatch';

/** A glob on names, compiled once. Names are flat text: `*` also matches `/` and a leading `.`, and `!` negates nothing. */
export function compileGlob(glob: string): (text: string) => boolean {
  const matches = picomatch(flatten(glob), { dot: true, nonegate: true, windows: false });
  return (text) => matches(flatten(text));
}

/** picomatch matches paths: a private character in the place of `/`, and a letter in front so that `.` and `..` are not special. */
function flatten(text: string): string {
  return `x${text.replaceAll('/', '\uE000')}`;
}
