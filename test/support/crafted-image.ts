/** Images that no builder makes: archives with members of every kind and name, layers of any type, documents that lie. */
import { promisify } from 'node:util';
import { gzip, zstdCompress } from 'node:zlib';
import { type Blob, digestOf, type Image } from '../../local/images/image.ts';

const compressors = {
  none: async (bytes: Buffer) => bytes,
  gzip: promisify(gzip),
  zstd: promisify(zstdCompress),
};

export interface TarMember {
  /** As it stands in the archive: `../escape`, `/absolute`. */
  readonly name: string;
  /** ustar's: `0` file, `1` hard link, `2` symbolic link, `3` character device, `4` block device, `5` directory, `6` FIFO. */
  readonly type?: '0' | '1' | '2' | '3' | '4' | '5' | '6';
  readonly content?: string;
  /** 0666 where absent. */
  readonly mode?: number;
  /** Root's where absent. */
  readonly uid?: number;
  readonly link?: string;
  readonly device?: readonly [major: number, minor: number];
}

const blockBytes = 512;

export function rawTar(members: readonly TarMember[]): Buffer {
  const blocks = members.flatMap((member) => {
    const content = Buffer.from(member.content ?? '');
    const padding = Buffer.alloc((blockBytes - (content.length % blockBytes)) % blockBytes);
    return [header(member, content.length), content, padding];
  });
  return Buffer.concat([...blocks, Buffer.alloc(2 * blockBytes)]);
}

function header(member: TarMember, size: number): Buffer {
  const { name, type = '0', mode = 0o666, uid = 0, link = '', device = [0, 0] } = member;
  const block = Buffer.alloc(blockBytes);
  const octal = (value: number, width: number) => `${value.toString(8).padStart(width - 1, '0')}\0`;
  const fields: readonly (readonly [number, string])[] = [
    [0, name],
    [100, octal(mode, 8)],
    [108, octal(uid, 8)],
    [116, octal(0, 8)],
    [124, octal(size, 12)],
    [136, octal(0, 12)],
    [148, ' '.repeat(8)],
    [156, type],
    [157, link],
    [257, 'ustar\0'],
    [263, '00'],
    [329, octal(device[0], 8)],
    [337, octal(device[1], 8)],
  ];
  for (const [offset, value] of fields) block.write(value, offset);
  const checksum = block.reduce((sum, byte) => sum + byte, 0);
  block.write(`${checksum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

export interface CraftedLayer {
  readonly archive: Buffer;
  readonly compression?: keyof typeof compressors;
  readonly mediaType?: string;
}

/** `manifest` and `config` change the documents before they get their digests. */
export async function craftImage(
  layers: readonly CraftedLayer[],
  changes: { readonly manifest?: object; readonly config?: object } = {},
): Promise<Image> {
  const blobs = await Promise.all(
    layers.map(async ({ archive, compression = 'gzip', mediaType = 'application/vnd.oci.image.layer.v1.tar+gzip' }) =>
      blobOf(mediaType, await compressors[compression](archive)),
    ),
  );
  const platform = { os: 'linux', architecture: process.arch === 'x64' ? 'amd64' : process.arch } as const;
  const config = jsonBlob('application/vnd.oci.image.config.v1+json', {
    ...platform,
    config: {},
    rootfs: { type: 'layers', diff_ids: layers.map(({ archive }) => digestOf(archive)) },
    ...changes.config,
  });
  const manifest = jsonBlob('application/vnd.oci.image.manifest.v1+json', {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: descriptorOf(config),
    layers: blobs.map(descriptorOf),
    ...changes.manifest,
  });
  return { manifest, blobs: [config, ...blobs], platform };
}

export const jsonBlob = (mediaType: string, value: object): Blob =>
  blobOf(mediaType, Buffer.from(JSON.stringify(value)));

const blobOf = (mediaType: string, bytes: Buffer): Blob => ({ mediaType, digest: digestOf(bytes), bytes });

export const descriptorOf = ({ mediaType, digest, bytes }: Blob): object => ({
  mediaType,
  digest,
  size: bytes.length,
});
