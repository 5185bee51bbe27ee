/** A registry on loopback with a busybox image in it, for tests that run real containers. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { busyboxImage } from '../../local/images/busybox-image.ts';
import { pushImage } from '../../local/images/push-image.ts';
import { startRegistry } from '../../local/images/registry.ts';

export interface TestImages extends AsyncDisposable {
  readonly registryUrl: string;
  /** A reference that an agent on this machine can pull: a shell and busybox' applets. */
  readonly busybox: string;
}

export async function startTestImages(): Promise<TestImages> {
  const dir = mkdtempSync(join(tmpdir(), 'gantry-registry-'));
  const registry = await startRegistry({ dir });
  const { reference } = await pushImage(await busyboxImage(), {
    registryUrl: registry.url,
    repository: 'busybox',
    tag: 'test',
  });
  return {
    registryUrl: registry.url,
    busybox: reference,
    async [Symbol.asyncDispose]() {
      await registry[Symbol.asyncDispose]();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
