/** Mirrors of a registry, each a registry in memory that counts what it is asked. */
import { expect, it } from 'vitest';
import { parseReference } from '../../../agent/images/reference.ts';
import { Registries } from '../../../agent/images/registries.ts';
import { buildImage } from '../../../local/images/image.ts';
import { type FakeRegistry, startFakeRegistry } from '../../support/fake-registry.ts';

const { signal } = new AbortController();
const image = await buildImage({ layers: [{ '/hello': 'hello' }] });
const [, layer] = image.blobs;
if (layer === undefined) throw new Error('the image has no layer');
const descriptor = { ...layer, size: layer.bytes.length };

async function startThree() {
  const stack = new AsyncDisposableStack();
  const start = async () => stack.use(await startFakeRegistry());
  const [first, second, origin] = [await start(), await start(), await start()];
  for (const registry of [first, second, origin]) registry.publish(image);
  const mirrors = [first, second].map(({ host }) => `http://${host}/`);
  const registry = new Registries({ registryMirrors: { [origin.host]: mirrors } }).of(
    parseReference(`${origin.host}/team/app`),
    { username: 'ada', password: '1' },
  );
  const asked = () => [first, second, origin].map(({ requests }) => requests.length);
  return { first, second, origin, registry, asked, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

const refuse = (registry: FakeRegistry, status: number): void => {
  registry.intercept = () => new Response(null, { status, headers: { 'www-authenticate': 'Basic realm="r"' } });
};

it('are asked in their order, and the registry itself not at all where one answers', async () => {
  await using world = await startThree();
  expect((await world.registry.manifest('latest', signal)).digest).toBe(image.manifest.digest);
  expect(world.asked()).toEqual([1, 0, 0]);
  refuse(world.first, 404); // A cache that does not have it.
  expect(await world.registry.digestOf('latest', signal)).toBe(image.manifest.digest);
  expect(world.asked()).toEqual([2, 1, 0]);
});

it('are left out for a while where they are in trouble, and the registry itself is asked in the end', async () => {
  await using world = await startThree();
  refuse(world.first, 503);
  await world.second[Symbol.asyncDispose]();
  for (let time = 0; time < 3; time += 1) await world.registry.manifest('latest', signal);
  expect(world.asked()).toEqual([1, 0, 3]);
});

it('may break off in a blob: then the next try asks another', async () => {
  await using world = await startThree();
  const half = layer.bytes.length / 2;
  world.first.intercept = () => new Response(new Uint8Array(layer.bytes.subarray(0, half)));
  const read = async (offset: number) => {
    let bytes = 0;
    for await (const chunk of world.registry.blob(descriptor, offset, signal)) bytes += chunk.length;
    return bytes;
  };
  await expect(read(0)).rejects.toThrow('EOF');
  expect(await read(10)).toBe(layer.bytes.length - 10);
  expect(world.asked()).toEqual([1, 1, 0]);
});

it('leave the last word to the registry, unless it cannot be reached', async () => {
  await using world = await startThree();
  refuse(world.first, 401);
  refuse(world.second, 404);
  refuse(world.origin, 400);
  await expect(world.registry.manifest('latest', signal)).rejects.toThrow('HTTP status 400');
  refuse(world.origin, 503);
  await expect(world.registry.manifest('latest', signal)).rejects.toMatchObject({
    kind: 'CannotPullContainerAuthError',
  });
});
