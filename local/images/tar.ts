/**
 * A layer's tar archive (POSIX ustar), made in memory and the same bytes for the same entries: paths in order, times zero,
 * owners by number. It knows files, directories and symbolic links, which is all that an image made here needs.
 */

interface Ownership {
  /** Permission bits; 0644 for files and 0755 for directories where absent. */
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
}

/** A bare string or byte array is a file of root's with mode 0644. */
export type LayerEntry =
  | string
  | Uint8Array
  | ({ readonly content: string | Uint8Array } & Ownership)
  | ({ readonly directory: true } & Ownership)
  | { readonly symlink: string };

/** Entries by absolute path, `/bin/sh`. Parent directories that are not named are made, as root's with mode 0755. */
export type LayerEntries = Readonly<Record<string, LayerEntry>>;

interface Member extends Ownership {
  readonly name: string;
  readonly type: '0' | '2' | '5';
  readonly content: Uint8Array;
  readonly linkTarget: string;
}

const blockBytes = 512;

/** Throws an Error for a path that ustar cannot hold. */
export function tarArchive(entries: LayerEntries): Buffer {
  const members = [...withParents(entries)]
    .toSorted(([left], [right]) => (left < right ? -1 : 1)) // By code unit, so that no locale changes the bytes.
    .map(([path, entry]) => memberOf(path, entry));
  const blocks = members.flatMap((member) => [header(member), member.content, padding(member.content.length)]);
  return Buffer.concat([...blocks, Buffer.alloc(2 * blockBytes)]);
}

function withParents(entries: LayerEntries): Map<string, LayerEntry> {
  const all = new Map<string, LayerEntry>();
  for (const [path, entry] of Object.entries(entries)) {
    const parts = path.split('/').filter((part) => part !== '');
    for (let depth = 1; depth < parts.length; depth += 1) {
      const parent = parts.slice(0, depth).join('/');
      if (!all.has(parent)) all.set(parent, { directory: true });
    }
    all.set(parts.join('/'), entry);
  }
  return all;
}

function memberOf(path: string, entry: LayerEntry): Member {
  if (typeof entry === 'string' || entry instanceof Uint8Array) return memberOf(path, { content: entry });
  const nothing = Buffer.alloc(0);
  if ('symlink' in entry) return { name: path, type: '2', mode: 0o777, content: nothing, linkTarget: entry.symlink };
  if ('directory' in entry)
    return { mode: 0o755, ...entry, name: `${path}/`, type: '5', content: nothing, linkTarget: '' };
  return { mode: 0o644, ...entry, name: path, type: '0', content: Buffer.from(entry.content), linkTarget: '' };
}

function header(member: Member): Buffer {
  const block = Buffer.alloc(blockBytes);
  const [prefix, name] = splitName(member.name);
  if (Buffer.byteLength(member.linkTarget) > 100) throw new Error(`The target of the link ${member.name} is too long.`);
  const fields: readonly (readonly [offset: number, value: string])[] = [
    [0, name],
    [100, octal(member.mode ?? 0, 8)],
    [108, octal(member.uid ?? 0, 8)],
    [116, octal(member.gid ?? 0, 8)],
    [124, octal(member.content.length, 12)],
    [136, octal(0, 12)],
    [148, ' '.repeat(8)], // The checksum counts itself as spaces.
    [156, member.type],
    [157, member.linkTarget],
    [257, 'ustar\0'],
    [263, '00'],
    [345, prefix],
  ];
  for (const [offset, value] of fields) block.write(value, offset);
  const checksum = block.reduce((sum, byte) => sum + byte, 0);
  block.write(`${checksum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

function octal(value: number, width: number): string {
  return `${value.toString(8).padStart(width - 1, '0')}\0`;
}

/** ustar holds a name of up to 100 bytes, and up to 155 bytes of the directories before it. */
function splitName(path: string): readonly [prefix: string, name: string] {
  if (Buffer.byteLength(path) <= 100) return ['', path];
  for (let at = path.indexOf('/'); at !== -1; at = path.indexOf('/', at + 1)) {
    const [prefix, name] = [path.slice(0, at), path.slice(at + 1)];
    if (name !== '' && Buffer.byteLength(name) <= 100 && Buffer.byteLength(prefix) <= 155) return [prefix, name];
  }
  throw new Error(`The path ${path} is too long for a tar archive.`);
}

function padding(length: number): Buffer {
  return Buffer.alloc((blockBytes - (length % blockBytes)) % blockBytes);
}
