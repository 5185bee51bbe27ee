/**
 * A control plane dies at every commit of an adoption, one after the other, before it is made or before it is answered; over each store.
 * The operator and the agent repeat what was not answered to the next one, and everything is as if nothing had happened.
 */
import { expect, it } from 'vitest';
import type { Control } from '../../control/create.ts';
import {
  type HandedTask,
  type HandoverRequest,
  type HandoverResponse,
  handoverResponseSchema,
  hostPaths,
} from '../../core/host-protocol.ts';
import { containerSpec, taskSpec } from '../agent/oci/task-spec.ts';
import { Death } from './support/intercepted-table.ts';
import { breaches } from './support/invariants.ts';
import type { ScriptedHost } from './support/scripted-host.ts';
import { amounts, hostView, idOf, type StoreKind, startWorld, type World } from './support/world.ts';

/** More than go into one commit. */
const running = 31;
const memoryMib = 10;

/** What the agent's ledger has of tasks that were placed on the host after the backup was made, by a revision made since. */
function handedOver(world: World): HandedTask[] {
  const at = world.now();
  const task = (index: number, status: 'RUNNING' | 'STOPPED'): HandedTask => {
    const taskId = index.toString(16).padStart(32, '0');
    const containers = [containerSpec({ name: 'app', memoryMib })];
    return {
      taskId,
      spec: taskSpec({ taskId, family: 'job', revision: 2, networkMode: 'bridge', containers }),
      desired: { status: 'RUNNING', version: 1, at },
      observation: {
        status,
        sequence: 5,
        acceptedAt: at,
        startedAt: at,
        containers: [{ name: 'app', status, networkBindings: [], ...(status === 'STOPPED' && { exitCode: 7 }) }],
        ...(status === 'STOPPED' && { stoppedAt: at, stopCode: 'EssentialContainerExited' as const }),
      },
    };
  };
  return [...Array.from({ length: running }, (_, index) => task(index, 'RUNNING')), task(running, 'STOPPED')];
}

/** As the agent does it: says what it has until the store knows all of that, hands over what it is asked for. */
async function adopt(world: World, control: Control, host: ScriptedHost, handed: readonly HandedTask[]): Promise<void> {
  host.control = control;
  const all = handed.map(({ taskId }) => taskId);
  const handOver = async (tasks: readonly HandedTask[]): Promise<HandoverResponse> => {
    const request: HandoverRequest = { storeEpoch: host.storeEpoch, taskIds: all, tasks: [...tasks] };
    return handoverResponseSchema.parse(await host.request('POST', hostPaths.handover(host.hostId), request));
  };
  let answer = await handOver([]);
  if (answer.decision === undefined) {
    await world.call('DecideHosts', { decision: 'adopt' }, { control });
    answer = await handOver([]);
  }
  expect(answer.decision).toBe('adopt');
  const asked = new Set(answer.unknown);
  if (asked.size > 0) answer = await handOver(handed.filter(({ taskId }) => asked.has(taskId)));
  expect(answer).toEqual({ decision: 'adopt', unknown: [] });
}

/** Answers whether it came to the n-th commit. */
async function diesAt(store: StoreKind, commit: number, when: 'before' | 'after'): Promise<boolean> {
  const death = new Death(commit, when);
  await using world = await startWorld({ store });
  const host = await world.host();
  await world.register('job', { memory: 100 });
  // What the store has of the host and the host has not: it ended since the backup was made.
  const { tasks } = await world.call('RunTask', { taskDefinition: 'job', count: 2 });
  const missing = tasks.map(({ taskArn }) => idOf(taskArn));
  const handed = handedOver(world);
  const mortal = await world.another(death.wrap);
  death.arm();
  await adopt(world, mortal, host, handed).catch((error: unknown) => {
    if (!death.happened) throw error;
  });
  if (death.happened) await adopt(world, world.control, host, handed);
  const what = `${when} commit ${commit} on ${store}`;
  expect(await breaches(world.table), what).toEqual([]);
  for (const taskId of missing)
    expect((await world.call('GetTask', { task: taskId })).task, what).toMatchObject({
      lastStatus: 'STOPPED',
      stoppedReason: expect.stringContaining('NotOnHost'),
    });
  for (const { taskId, observation } of handed)
    expect((await world.call('GetTask', { task: taskId })).task, what).toMatchObject({
      lastStatus: observation.status,
      taskDefinitionArn: expect.stringMatching(/\/job:2$/),
    });
  const { remainingResources, registeredResources } = await hostView(world);
  const [free, whole] = [amounts(remainingResources).MEMORY ?? 0, amounts(registeredResources).MEMORY ?? 0];
  expect(whole - free, what).toBe(running * memoryMib);
  const { taskDefinitionArns } = await world.call('ListTaskDefinitions', { status: 'INACTIVE' });
  expect(taskDefinitionArns, what).toEqual([expect.stringMatching(/\/job:2$/)]);
  return death.happened;
}

it.each<StoreKind>(['sqlite', 'dynamodb', 'faulty-dynamodb'])(
  'an adoption may die anywhere and be repeated, over %s',
  async (store) => {
    for (const when of ['before', 'after'] as const) {
      let commit = 1;
      while (await diesAt(store, commit, when)) commit += 1;
      // What waits for a decision, the decision, what ended, the revision, and two lots of tasks.
      expect(commit).toBeGreaterThan(6);
    }
  },
);
