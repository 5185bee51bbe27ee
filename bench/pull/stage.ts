/** What the pullers stand on: a registry of its own with the image, a containerd of its own, and the two who pull from one into the other. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { connect, type NamespacedContainerd } from '../../agent/containerd/client.ts';
import { ImageDisk } from '../../agent/images/disk.ts';
import { ImagePuller } from '../../agent/images/puller.ts';
import { findExecutable } from '../../local/containerd.ts';
import { buildImage, type Image } from '../../local/images/image.ts';
import { pushImage } from '../../local/images/push-image.ts';
import { startRegistry } from '../../local/images/registry.ts';
import type { LayerEntries } from '../../local/images/tar.ts';
import { startContainerd } from '../../test/support/containerd.ts';
import { flags, runProgram } from '../start/program.ts';

export interface Puller {
  readonly name: string;
  /** A sentence for the report: what is measured. */
  readonly means: string;
  pull(signal: AbortSignal): Promise<void>;
  /** Takes the image away, and everything that only it has kept. */
  remove(): Promise<void>;
}

export interface Stage extends AsyncDisposable {
  /** Gantry first. */
  readonly pullers: readonly Puller[];
  readonly layers: number;
  readonly bytes: number;
}

const mib = 1024 * 1024;
const layerCount = 6;

export async function setStage(imageMib: number, say: (line: string) => void): Promise<Stage> {
  await using stack = new AsyncDisposableStack();
  const directory = stack.adopt(mkdtempSync('/var/tmp/gantry-bench-'), (path) => rmSync(path, { recursive: true }));
  const registry = stack.use(await startRegistry({ dir: join(directory, 'registry') }));
  say(`making an image of ${imageMib} MiB in ${layerCount} layers`);
  const image = await benchImage(imageMib);
  const { reference } = await pushImage(image, { registryUrl: registry.url, repository: 'bench', tag: 'latest' });
  const daemon = stack.use(await startContainerd());
  const client = stack.use(connect(daemon.socket));
  const [ours, theirs] = [client.withNamespace('gantry'), client.withNamespace('ctr')];
  const pullers = [gantryPuller(ours, new ImageDisk(client), reference), ctrPuller(theirs, daemon.socket, reference)];
  const bytes = image.blobs.reduce((total, blob) => total + blob.bytes.length, 0);
  const owned = stack.move();
  return { pullers, layers: layerCount, bytes, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Files of many sizes, of bytes that do not compress beside others that do, as programs and their texts are. */
function benchImage(imageMib: number): Promise<Image> {
  const sizes = [4096, 16_384, 65_536, 262_144, mib];
  const layers = Array.from({ length: layerCount }, (_, layer): LayerEntries => {
    const entries: Record<string, { readonly content: Uint8Array }> = {};
    let left = (imageMib * mib) / layerCount;
    for (let file = 0; left > 0; file += 1) {
      const size = Math.min(left, sizes[file % sizes.length] ?? mib);
      entries[`/${layer}/${file % 40}/${file}.bin`] = { content: randomBytes(size) };
      entries[`/${layer}/${file % 40}/${file}.txt`] = { content: Buffer.alloc(size / 4, `line ${file} of a text\n`) };
      left -= size;
    }
    return entries;
  });
  return buildImage({ layers });
}

function gantryPuller(containerd: NamespacedContainerd, disk: ImageDisk, reference: string): Puller {
  return {
    name: 'gantry',
    means: 'the agent’s own puller, in the bench’s process: the promise has resolved',
    async pull(signal) {
      await new ImagePuller({ containerd, disk }).ensure(reference, { signal });
    },
    remove: () => removeAll(containerd),
  };
}

function ctrPuller(containerd: NamespacedContainerd, socket: string, reference: string): Puller {
  const ctr = findExecutable('ctr');
  if (ctr === undefined) throw new Error('ctr was not found; it comes with containerd.');
  const { namespace } = containerd;
  return {
    name: 'ctr',
    means: '`ctr images pull` into the same containerd: the command has ended',
    async pull() {
      await runProgram(ctr, [...flags({ address: socket, namespace }), 'images', 'pull', '--plain-http', reference]);
    },
    remove: () => removeAll(containerd),
  };
}

async function removeAll({ images }: NamespacedContainerd): Promise<void> {
  const { images: records } = await images.list({});
  for (const { name } of records) await images.delete({ name, sync: true });
}
