/** Hosts for the cloud's tests: the real agent's loops in this process over a host in memory, which counts what was really started. */
import { expect, vi } from 'vitest';
import type { Clock } from '../../agent/clock.ts';
import { FakeHost } from '../support/fake-runtime.ts';
import { agentDirectory, startAgent, type TestAgent } from '../support/test-agent.ts';
import type { AwsCloud } from './aws-cloud.ts';

export interface TestHost extends AsyncDisposable {
  readonly name: string;
  readonly machine: FakeHost;
  readonly agent: TestAgent;
}

/** Waits pass `speed` times as fast; the time of day is right, because signatures carry it. */
export const hastyClock = (speed: number): Clock => ({
  now: () => Date.now(),
  sleep(milliseconds, signal) {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, milliseconds / speed);
    signal?.addEventListener('abort', () => resolve(), { once: true });
    if (signal?.aborted === true) resolve();
    return promise.finally(() => clearTimeout(timer));
  },
});

export async function startHost(
  cloud: AwsCloud,
  name: string,
  { speed = 1 }: { readonly speed?: number } = {},
): Promise<TestHost> {
  const directory = agentDirectory();
  const machine = new FakeHost();
  const token = await cloud.joinToken();
  const agent = await startAgent({
    directory: directory.path,
    host: machine,
    controlPlane: { url: cloud.endpoint },
    name,
    clock: hastyClock(speed),
    entitlement: async () => ({ token }),
  });
  return {
    name,
    machine,
    agent,
    async [Symbol.asyncDispose]() {
      await agent.stop();
      directory[Symbol.dispose]();
    },
  };
}

/** Resolves once the control plane may place on it. */
export async function connected({ client }: AwsCloud, name: string): Promise<void> {
  await vi.waitFor(
    async () => expect((await client.call('GetHost', { host: name })).host).toMatchObject({ agentConnected: true }),
    { timeout: 20_000, interval: 50 },
  );
}
