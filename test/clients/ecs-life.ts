/**
 * The path through ECS that every client goes: clusters, capacity providers, definitions, tasks, hosts, settings, and their ends. Against a
 * control plane whose host the test moves; what is asked of the client is that it can send each request and read each answer.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Operation } from '../../core/api/operation.ts';
import { operations } from '../../core/api/operations.ts';
import { ScriptedHost } from '../control/support/scripted-host.ts';
import { type ApiServer, startApi } from '../support/api-server.ts';
import { ClientRefusal, type EcsClient } from './ecs-client.ts';
import { cluster, type Life } from './life.ts';
import { lifeOfClusters } from './life-of-clusters.ts';
import { lifeOfHosts } from './life-of-hosts.ts';
import { lifeOfTasks } from './life-of-tasks.ts';

export function ecsLife(start: (api: ApiServer) => EcsClient & AsyncDisposable): void {
  let api: ApiServer;
  let client: EcsClient & AsyncDisposable;
  let life: Life;
  const called = new Set<string>();

  beforeAll(async () => {
    api = await startApi();
    await api.wire('CreateCluster', { clusterName: cluster });
    const token = await api.control.joinTokens.create({ cluster, reusable: false });
    const host = await new ScriptedHost(api.control, { cluster }).join(token);
    client = start(api);
    life = newLife(client, host, called);
  });
  afterAll(async () => {
    await client?.[Symbol.asyncDispose]();
    await api?.[Symbol.asyncDispose]();
  });

  lifeOfClusters(() => life);
  lifeOfTasks(() => life);
  lifeOfHosts(() => life);

  it('has called every operation that is built and that the client has', () => {
    const built = Object.values<Operation>(operations).filter(({ wire, name }) => wire && !life.lacks.includes(name));
    expect(built.filter(({ name }) => !called.has(name)).map(({ name }) => name)).toEqual([]);
  });
}

const newLife = (client: EcsClient, host: ScriptedHost, called: Set<string>): Life => ({
  lacks: client.lacks,
  host,
  tasks: [],
  call(operation, input) {
    called.add(operation);
    return client.call(operation, input);
  },
  list(operation, input) {
    called.add(operation);
    return client.list(operation, input);
  },
  wait: (waiter, input) => client.wait(waiter, input),
  async refusalOf(operation, input) {
    called.add(operation);
    const error: unknown = await client.call(operation, input).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (!(error instanceof ClientRefusal)) throw new Error(`${operation} was not refused`, { cause: error });
    return { code: error.code, message: error.message };
  },
});
