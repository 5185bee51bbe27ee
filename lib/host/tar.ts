/**
 * Archives in the tar format (POSIX ustar), as far as the agent's asset needs them: written so that the same content always gives the
 * same bytes, and read for one file. Knows files only, with short names.
 */

export interface ArchivedFile {
  /** At most 100 bytes. */
  readonly path: string;
  readonly isExecutable: boolean;
  readonly content: Buffer;
}

const blockBytes = 512;

export const endOfTar: Buffer = Buffer.alloc(2 * blockBytes);

/** A part of an archive, or a whole one with `endOfTar` after it. The bytes depend on the files alone: no times, no owners. */
export const tarOf = (files: readonly ArchivedFile[]): Buffer =>
  Buffer.concat(files.flatMap((file) => [headerOf(file), file.content, padding(file.content.length)]));

/** The content of a file in an archive, or undefined. */
export function fileInTar(archive: Buffer, path: string): Buffer | undefined {
  let offset = 0;
  while (offset + blockBytes <= archive.length) {
    const header = archive.subarray(offset, offset + blockBytes);
    const size = Number.parseInt(textAt(header, 124, 12), 8);
    if (Number.isNaN(size)) return undefined; // The zeros at the end.
    const start = offset + blockBytes;
    if (textAt(header, 0, 100) === path) return archive.subarray(start, start + size);
    offset = start + size + padding(size).length;
  }
  return undefined;
}

function headerOf({ path, isExecutable, content }: ArchivedFile): Buffer {
  const header = Buffer.alloc(blockBytes);
  if (Buffer.byteLength(path) > 100) throw new Error(`${path} is too long for an entry of the archive`);
  header.write(path, 0);
  header.write(octal(isExecutable ? 0o755 : 0o644, 8), 100);
  header.write(octal(0, 8), 108); // Owner: root.
  header.write(octal(0, 8), 116);
  header.write(octal(content.length, 12), 124);
  header.write(octal(0, 12), 136); // Modified: 1970.
  header.write(' '.repeat(8), 148); // The checksum counts as blanks in its own sum.
  header.write('0', 156); // A file.
  header.write('ustar\0' + '00', 257);
  const checksum = header.reduce((sum, byte) => sum + byte, 0);
  header.write(`${checksum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}

const octal = (value: number, bytes: number): string => `${value.toString(8).padStart(bytes - 1, '0')}\0`;

const padding = (size: number): Buffer => Buffer.alloc((blockBytes - (size % blockBytes)) % blockBytes);

const textAt = (header: Buffer, start: number, length: number): string =>
  header
    .subarray(start, start + length)
    .toString('latin1')
    .replace(/\0.*$/s, '')
    .trim();
