/** Hosts for the cloud's tests: the real agent's loops in this process over a host in memory, which counts what was really started. */
import { pino } from 'pino';
import { expect } from 'vitest';
import type { Entitlement } from '../../agent/agent.ts';
import type { Clock } from '../../agent/clock.ts';
import { openIdentity } from '../../agent/identity.ts';
import type { Client } from '../../client/client.ts';
import { FakeHost } from '../support/fake-runtime.ts';
import { agentDirectory, startAgent, type TestAgent } from '../support/test-agent.ts';
import { eventually } from './patience.ts';

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

/** A control plane that admits hosts. */
export interface HostsCloud {
  readonly endpoint: string;
  readonly client: Client;
  joinToken(cluster: string): Promise<string>;
}

export interface TestHostOptions {
  readonly speed?: number;
  readonly cluster?: string;
  /** A join token of the cluster where absent. */
  readonly entitlement?: (publicKey: string) => Promise<Entitlement>;
}

export async function startHost(cloud: HostsCloud, name: string, options: TestHostOptions = {}): Promise<TestHost> {
  const { speed = 1, cluster = 'default', entitlement } = options;
  const directory = agentDirectory();
  const machine = new FakeHost();
  const token = entitlement === undefined ? await cloud.joinToken(cluster) : '';
  const { publicKey } = await openIdentity(directory.path, pino({ level: 'silent' }));
  const agent = await startAgent({
    directory: directory.path,
    host: machine,
    controlPlane: { url: cloud.endpoint },
    name,
    cluster,
    clock: hastyClock(speed),
    entitlement: async () => (entitlement === undefined ? { token } : entitlement(publicKey)),
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
export async function connected({ client }: HostsCloud, name: string, cluster = 'default'): Promise<void> {
  await eventually(async () =>
    expect((await client.call('GetHost', { cluster, host: name })).host).toMatchObject({ agentConnected: true }),
  );
}
