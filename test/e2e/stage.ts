/** A cloud of three hosts and a registry with a busybox image, for the tests of one file. */
import { type CloudHandle, startCloud } from '../support/cloud.ts';
import { startTestImages, type TestImages } from '../support/test-images.ts';
import type { Store } from './stores.ts';

export interface Stage extends AsyncDisposable {
  readonly images: TestImages;
  readonly cloud: CloudHandle;
}

/** What was started is ended where something that comes after it does not start. */
export async function setStage(store: Store, upArgs: readonly string[] = []): Promise<Stage> {
  await using started = new AsyncDisposableStack();
  const images = started.use(await startTestImages());
  const backing = started.use(await store.start());
  const cloud = started.use(await startCloud(['--hosts', '3', ...backing.upArgs, ...upArgs]));
  const all = started.move();
  return { images, cloud, [Symbol.asyncDispose]: () => all.disposeAsync() };
}
