import { readPackageJson } from './cldr.ts';

interface Usage {
  readonly usesMetazone: { readonly _mzone: string; readonly _from?: string; readonly _to?: string };
}

type Tree = { readonly [part: string]: Tree | readonly Usage[] };

/** Which names each zone uses, in JSON: the name of a group, or a list of the minute since 1970 from which on it uses which. */
export async function metazonesText(zones: ReadonlySet<string>): Promise<string> {
  const { supplemental } = await readPackageJson<{ supplemental: { metaZones: { metazoneInfo: { timezone: Tree } } } }>(
    'cldr-core',
    'supplemental/metaZones.json',
  );
  const found: Record<string, unknown> = {};
  collect(supplemental.metaZones.metazoneInfo.timezone, '', (zone, usages) => {
    if (!zones.has(zone) && zone !== 'Etc/GMT') return;
    const [only] = usages;
    if (usages.length === 1 && only?.usesMetazone._from === undefined && only?.usesMetazone._to === undefined) {
      found[zone] = only?.usesMetazone._mzone;
    } else found[zone] = periods(usages);
  });
  return JSON.stringify(found);
}

function collect(tree: Tree, prefix: string, add: (zone: string, usages: readonly Usage[]) => void): void {
  for (const [part, child] of Object.entries(tree)) {
    if (Array.isArray(child)) add(`${prefix}${part}`, child as readonly Usage[]);
    else collect(child as Tree, `${prefix}${part}/`, add);
  }
}

function periods(usages: readonly Usage[]): [number, string | null][] {
  const list: [number, string | null][] = [];
  let end: number | undefined = 0;
  for (const { usesMetazone } of usages) {
    const from = usesMetazone._from === undefined ? 0 : minute(usesMetazone._from);
    if (end !== undefined && end < from) list.push([end, null]);
    list.push([from, usesMetazone._mzone]);
    end = usesMetazone._to === undefined ? undefined : minute(usesMetazone._to);
  }
  if (end !== undefined) list.push([end, null]);
  return list;
}

function minute(text: string): number {
  return Date.parse(`${text.replace(' ', 'T')}:00Z`) / 60_000;
}
