/** The image of the first task: the public one where its registry can be reached, else one made of this machine's own busybox. */
import { rmSync } from 'node:fs';
import { busyboxImage } from './images/busybox-image.ts';
import { pushImage } from './images/push-image.ts';
import { startRegistry } from './images/registry.ts';
import type { CloudPaths } from './options.ts';

const reachTimeoutMs = 3_000;

/** `reference` can be pulled by an agent on this machine. Disposing ends and removes the registry that was started for it. */
export async function helloImage(
  wanted: string,
  paths: CloudPaths,
  say: (line: string) => void,
): Promise<AsyncDisposable & { readonly reference: string }> {
  const host = wanted.split('/')[0] ?? '';
  if (await canBeReached(host)) return { reference: wanted, [Symbol.asyncDispose]: () => Promise.resolve() };
  say(
    `${host} cannot be reached: making an image of this machine's busybox and serving it from a registry on loopback`,
  );
  const registry = await startRegistry({ dir: paths.registry });
  const dispose = async () => {
    if (registry.adopted) return; // Somebody else's, who still needs it.
    await registry[Symbol.asyncDispose]();
    rmSync(paths.registry, { recursive: true, force: true });
  };
  try {
    const image = await busyboxImage();
    const { reference } = await pushImage(image, { registryUrl: registry.url, repository: 'hello', tag: 'offline' });
    return { reference, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** Any answer counts: a registry asks for a token first. */
async function canBeReached(registryHost: string): Promise<boolean> {
  try {
    await fetch(`https://${registryHost}/v2/`, { signal: AbortSignal.timeout(reachTimeoutMs) });
    return true;
  } catch {
    return false; // No network, no such host, or a firewall that swallows packets.
  }
}
