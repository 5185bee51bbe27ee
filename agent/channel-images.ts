/** Answers the control plane's question which images are on this host, and which tasks use each. */
import type { AgentFrame } from '../core/host-protocol.ts';
import type { HostImage } from '../core/model/host-image.ts';
import type { Runtime } from './runtime.ts';

/** So that a frame stays below what sockets let through. */
const imagesPerFrame = 200;

/** Always ends with an `end` frame. Rejects where the socket has gone. */
export async function answerImages(
  runtime: Pick<Runtime, 'listImages' | 'inventory'>,
  stream: string,
  send: (frame: AgentFrame) => Promise<void>,
): Promise<void> {
  let failure: string | undefined;
  try {
    const images = await imagesInUse(runtime);
    for (let from = 0; from < images.length; from += imagesPerFrame)
      await send({ kind: 'images', stream, images: images.slice(from, from + imagesPerFrame) });
  } catch (error) {
    failure = error instanceof Error ? error.message : String(error);
  }
  await send({ kind: 'end', stream, ...(failure === undefined ? {} : { error: failure }) });
}

async function imagesInUse(runtime: Pick<Runtime, 'listImages' | 'inventory'>): Promise<HostImage[]> {
  const [images, tasks] = await Promise.all([runtime.listImages(), runtime.inventory()]);
  return images.map(({ names, digest, sizeBytes, lastUsedAt }) => ({
    names: [...names],
    digest,
    sizeBytes,
    ...(lastUsedAt === undefined ? {} : { lastUsedAt }),
    taskIds: tasks
      .filter(({ containers }) => containers.some(({ imageDigest }) => imageDigest === digest))
      .map(({ taskId }) => taskId),
  }));
}
