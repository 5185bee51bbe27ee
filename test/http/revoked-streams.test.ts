/** What a key reads for long ends when the key is revoked, in another process too. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createApi } from '../../control/http/app.ts';
import { everyRight } from '../../core/model/rights.ts';
import { startWorld, type World } from '../control/support/world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
  await world.register('web');
});
afterAll(() => world[Symbol.asyncDispose]());

async function open(path: string, accessKeyId?: string) {
  let looks = 0;
  let wake = () => {};
  let paused = () => {};
  const deps: World['control']['deps'] = {
    ...world.control.deps,
    async sleep(ms, signal) {
      expect(ms).toBeLessThan(10_000);
      looks += 1;
      paused();
      await new Promise<void>((resolve) => {
        wake = resolve;
        signal?.addEventListener('abort', () => resolve());
      });
    },
  };
  const principal = {
    arn: 'arn:aws:iam::000000000000:user/reader',
    ...everyRight,
    ...(accessKeyId && { accessKeyId }),
  };
  const { handlers } = world.control;
  const app = createApi({ deps, handlers, authenticator: { authenticate: async () => principal } });
  const gone = new AbortController();
  const response = await app.fetch(new Request(`http://localhost${path}`, { signal: gone.signal }));
  expect(response.status).toBe(200);
  return {
    response,
    gone,
    looks: () => looks,
    /** Lets it look whether its key is still there; resolves once it has found that. */
    look: () =>
      new Promise<void>((resolve) => {
        paused = resolve;
        wake();
      }),
    lookLast: () => wake(),
  };
}

const paths = async () => {
  const { tasks } = await world.call('RunTask', { taskDefinition: 'web' });
  const task = tasks[0]?.taskArn.split('/').at(-1) ?? '';
  return [`/v1/clusters/default/tasks/${task}/watch`, '/v1/events/stream'];
};

it('ends with what its next request would be answered', async () => {
  for (const path of await paths()) {
    const made = await world.call('CreateAccessKey', { userName: 'reader', actions: ['read'] });
    const { accessKeyId } = made.accessKey;
    const { response, look, lookLast } = await open(path, accessKeyId);
    const text = response.text();
    await look();
    await (await world.another()).accessKeys.delete(accessKeyId);
    lookLast();
    expect(await text, path).toContain('has been revoked');
  }
});

it('goes on without a key to revoke, and ends with its reader', async () => {
  for (const path of await paths()) {
    const { response, gone, looks } = await open(path);
    const text = response.text();
    gone.abort();
    expect(await text, path).not.toContain('revoked');
    expect(looks()).toBe(0);
  }
});
