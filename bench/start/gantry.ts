/** Gantry as its users have it: signed requests over HTTP to a cloud that `gantry up` has started. */
import { setTimeout as delay } from 'node:timers/promises';
import type { NetworkConfig } from '../../agent/config.ts';
import { connect, type NamespacedContainerd } from '../../agent/containerd/client.ts';
import { runtimeIdOf } from '../../agent/containerd/runtime-naming.ts';
import { parseSubnet } from '../../agent/network/addresses.ts';
import { listContainerNetns } from '../../agent/network/names.ts';
import type { Client } from '../../client/client.ts';
import type { HostPlan } from '../../local/host-plan.ts';
import { type Contender, commandNames, type StartedContainer } from './contender.ts';
import { type BenchDefinition, containerName } from './definition.ts';
import { comparableSpecification } from './specification.ts';

const waitSeconds = 25;

export interface GantryOptions {
  readonly client: Client;
  readonly host: HostPlan;
  readonly network: NetworkConfig;
  /** The agent's own, where it keeps what it mounts into containers. */
  readonly stateDirectory: string;
  readonly containerdSocket: string;
  readonly definition: BenchDefinition;
}

export async function gantryContender(options: GantryOptions): Promise<Contender> {
  const { client, network, definition, host } = options;
  await client.call('RegisterTaskDefinition', definition);
  const daemon = connect(options.containerdSocket);
  const containerd = daemon.withNamespace(host.containerdNamespace);
  return {
    name: 'gantry',
    means: 'RunTask over signed HTTP; running: GetTask with wait=running (a long poll) has answered',
    callbackAddress: parseSubnet(network.subnet).gateway,
    start: (command) => start(options, containerd, command),
    [Symbol.asyncDispose]: async () => daemon.close(),
  };
}

async function start(
  options: GantryOptions,
  containerd: NamespacedContainerd,
  command: readonly string[],
): Promise<StartedContainer> {
  const { client, host, definition } = options;
  const overrides = { containerOverrides: [{ name: containerName, command: [...command] }] };
  const { tasks, failures } = await client.call('RunTask', { taskDefinition: definition.family, overrides });
  const acceptedAt = performance.now();
  const task = tasks[0]?.taskArn.split('/').at(-1);
  if (task === undefined) throw new Error(`Gantry did not place the task: ${JSON.stringify(failures)}`);
  const waitFor = async (wait: 'running' | 'stopped'): Promise<void> => {
    const { reached, task: found } = await client.call('GetTask', { task, wait, timeout: waitSeconds });
    if (reached !== 'yes') throw new Error(`The task is not ${wait}: ${found.lastStatus}, ${found.stoppedReason}`);
  };
  await waitFor('running');
  return {
    acceptedAt,
    runningAt: performance.now(),
    specification: () => specificationOf(options, containerd, task, command),
    async remove() {
      await waitFor('stopped');
      while (listContainerNetns(host.containerdNamespace).length > 0) await delay(5);
    },
  };
}

function specificationOf(
  { host, stateDirectory }: GantryOptions,
  containerd: NamespacedContainerd,
  task: string,
  command: readonly string[],
): Promise<string> {
  const id = runtimeIdOf(task, containerName);
  return comparableSpecification(containerd, id, {
    ...commandNames(command),
    [task]: 'TASK',
    [id]: 'CONTAINER',
    [id.slice(0, 12)]: 'HOSTNAME',
    [host.containerdNamespace]: 'OWNER',
    [host.cgroupParent]: 'PARENT',
    [stateDirectory]: 'STATE',
  });
}
