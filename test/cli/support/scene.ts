/** A cluster as people meet it: two hosts, and tasks that run, wait, ended well, ended badly, were stopped and could not start. */
import type { TaskObservation } from '../../../core/model/task.ts';
import type { ScriptedHost } from '../../control/support/scripted-host.ts';
import type { Desk } from './desk.ts';

const idOf = (arn: string | undefined): string => arn?.split('/').at(-1) ?? '';

export interface Scene {
  readonly hosts: readonly [ScriptedHost, ScriptedHost];
  readonly running: string;
  readonly waiting: string;
  readonly done: string;
  readonly oom: string;
  readonly broken: string;
}

export async function setScene(desk: Desk): Promise<Scene> {
  const { world } = desk;
  const hosts = [
    await world.host({ name: 'host-1', cpuUnits: 2048, memoryMib: 4096 }),
    await world.host({ name: 'host-2', cpuUnits: 1024, memoryMib: 1024 }),
  ] as const;
  await world.register('job', { cpu: 256, memory: 256 });
  await world.register('web', { cpu: 512, memory: 512, hostPort: 8080 });
  await world.register('huge', { cpu: 256, memory: 65_536 });

  const done = await runOne(desk, 'job');
  await play(desk, hosts, done, { exitCode: 0 });
  const oom = await runOne(desk, 'job', { startedBy: 'nightly' });
  await play(desk, hosts, oom, {
    exitCode: 137,
    oomKilled: true,
    reason: 'OutOfMemoryError: Container killed due to memory usage',
  });
  const broken = await runOne(desk, 'job');
  await fail(desk, hosts, broken);
  const stopped = await runOne(desk, 'job');
  for (const host of hosts) await host.obey();
  await world.call('StopTask', { task: stopped, reason: 'No longer needed' });
  for (const host of hosts) await host.obey();
  const running = await runOne(desk, 'web', { group: 'front' });
  await bindPort(desk, hosts, running);
  const waiting = await runOne(desk, 'huge');
  world.advance(90);
  return { hosts, running, waiting, done, oom, broken };
}

export async function runOne(desk: Desk, taskDefinition: string, more: object = {}): Promise<string> {
  desk.world.advance(60);
  const { tasks } = await desk.world.call('RunTask', { taskDefinition, ...more });
  return idOf(tasks[0]?.taskArn);
}

/** Runs for two seconds and ends so. */
async function play(
  { world }: Desk,
  hosts: readonly ScriptedHost[],
  id: string,
  end: Partial<TaskObservation['containers'][number]>,
): Promise<void> {
  for (const host of hosts) await host.obey();
  world.advance(2);
  const host = hostOf(hosts, id);
  host.end(id);
  changeObservation(host, id, ({ containers }) => ({
    containers: containers.map((container) => ({ ...container, ...end })),
  }));
  await host.report();
}

async function fail({ world }: Desk, hosts: readonly ScriptedHost[], id: string): Promise<void> {
  for (const host of hosts) await host.fetch();
  const host = hostOf(hosts, id);
  const now = world.now();
  const reason = 'CannotPullContainerError: The image "busybox" could not be pulled: no such host.';
  host.end(id);
  changeObservation(host, id, ({ containers }) => ({
    stopCode: 'TaskFailedToStart',
    stoppedReason: 'Task failed to start',
    pullStartedAt: now,
    pullStoppedAt: now,
    containers: containers.map(({ name, networkBindings }) => ({ name, networkBindings, status: 'STOPPED', reason })),
  }));
  await host.report();
}

async function bindPort({ world }: Desk, hosts: readonly ScriptedHost[], id: string): Promise<void> {
  for (const host of hosts) await host.obey();
  const host = hostOf(hosts, id);
  world.advance(1);
  const binding = { bindIP: '0.0.0.0', containerPort: 80, hostPort: 8080, protocol: 'tcp' as const };
  changeObservation(host, id, ({ containers, sequence }) => ({
    sequence: sequence + 1,
    containers: containers.map((container) => ({ ...container, networkBindings: [binding] })),
  }));
  await host.report();
}

function hostOf(hosts: readonly ScriptedHost[], id: string): ScriptedHost {
  const host = hosts.find(({ tasks }) => tasks.has(id));
  if (host === undefined) throw new Error(`no host has the task ${id}`);
  return host;
}

/** Of the observation that goes out with the next report. */
export function changeObservation(
  host: ScriptedHost,
  id: string,
  to: (seen: TaskObservation) => Partial<TaskObservation>,
): void {
  const entry = host.tasks.get(id);
  if (entry !== undefined) entry.observation = { ...entry.observation, ...to(entry.observation) };
}
