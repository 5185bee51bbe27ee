/** A cloud of three hosts and a registry with a busybox image, for the tests of one file. */
import { startTestImages, type TestImages } from '../support/test-images.ts';
import type { Cloud } from './cloud.ts';
import type { Platform } from './platforms.ts';

export interface Stage extends AsyncDisposable {
  readonly images: TestImages;
  readonly cloud: Cloud;
}

/** What was started is ended where something that comes after it does not start. */
export async function setStage(platform: Platform): Promise<Stage> {
  await using started = new AsyncDisposableStack();
  const images = started.use(await startTestImages());
  const cloud = started.use(await platform.start({ hosts: 3 }));
  const all = started.move();
  return { images, cloud, [Symbol.asyncDispose]: () => all.disposeAsync() };
}
