/**
 * What must be true of a store whenever nobody is writing: the listings say what the tasks say, hosts hold what was placed on them and
 * not released, nothing is over-committed. Read from the store itself, not through the API.
 */
import { driftOf } from '../../../control/loops/audit.ts';
import { clusterHosts, hostTasks } from '../../../control/store/hosts.ts';
import type { Table } from '../../../control/store/table.ts';
import { getTasks, liveTasks, stoppedTasks } from '../../../control/store/tasks.ts';
import { waitingTasks } from '../../../control/store/waiting-tasks.ts';
import type { HostCapacity } from '../../../core/model/host.ts';
import type { Task } from '../../../core/model/task.ts';
import { desiredStatus, lastStatus, mayStillRun } from '../../../core/task/status.ts';

/** Each breach as a sentence. */
export async function breaches(table: Table, cluster = 'default'): Promise<string[]> {
  const found: string[] = [];
  const check = (holds: boolean, text: string): void => {
    if (!holds) found.push(text);
  };
  const live = new Map<string, { lastStatus: string; desiredStatus: string; hostId?: string | undefined }>();
  for await (const { entry } of liveTasks(table, cluster, { pageSize: 100 })) live.set(entry.taskId, entry);
  const waiting = new Set((await waitingTasks(table, cluster)).map(({ taskId }) => taskId));
  const stopped: string[] = [];
  for await (const { entry } of stoppedTasks(table, cluster, { pageSize: 100 })) stopped.push(entry.task.id);
  const hosts = await clusterHosts(table, cluster);
  const held = new Map<string, string>();
  const wishes = new Map<string, number>();
  for (const { hostId } of hosts) {
    for (const { taskId, desired } of await hostTasks(table, hostId)) {
      held.set(taskId, hostId);
      wishes.set(taskId, desired.version);
    }
  }
  const tasks = await getTasks(table, [...new Set([...live.keys(), ...waiting, ...stopped, ...held.keys()])]);
  for (const task of tasks.values()) {
    const status = lastStatus(task);
    const listed = live.get(task.id);
    check(
      (listed !== undefined) === (status !== 'STOPPED'),
      `task ${task.id} is ${status}; live listing: ${listed !== undefined}`,
    );
    check(
      (listed?.lastStatus ?? 'STOPPED') === status,
      `task ${task.id} is ${status}, listed as ${listed?.lastStatus}`,
    );
    check((listed?.desiredStatus ?? 'STOPPED') === desiredStatus(task), `task ${task.id} is listed with another wish`);
    check(listed === undefined || listed.hostId === task.hostId, `task ${task.id} is listed on another host`);
    check(
      waiting.has(task.id) === (status === 'PROVISIONING'),
      `task ${task.id} is ${status}; waiting: ${waiting.has(task.id)}`,
    );
    const wish = wishes.get(task.id) ?? task.desired.version;
    check(wish === task.desired.version, `task ${task.id} wants ${task.desired.version}, its host was told ${wish}`);
    const holder = task.released ? undefined : task.hostId;
    check(
      held.get(task.id) === holder,
      `task ${task.id} belongs to host ${holder}, in the set of ${held.get(task.id)}`,
    );
    // What was given up with its host holds it until the host says that it is gone.
    check(
      task.released === (task.hostId !== undefined && status === 'STOPPED' && !mayStillRun(task)),
      `task ${task.id}: released ${task.released}`,
    );
  }
  for (const host of hosts) found.push(...breachesOf(host, [...tasks.values()]));
  return found;
}

function breachesOf(host: HostCapacity, all: readonly Task[]): string[] {
  const tasks = all.filter(({ hostId, released }) => hostId === host.hostId && !released);
  const found = driftOf(host, tasks);
  if (host.freeCpuUnits < 0 || host.freeMemoryMib < 0) found.push('more was placed than there is');
  const ports = tasks.flatMap(({ needs }) => needs.reservation.ports);
  if (new Set(ports).size < ports.length) found.push('a port was given twice');
  for (const { needs } of tasks) {
    const isDistinct = needs.constraints.some(({ type }) => type === 'distinctInstance');
    const alike = tasks.filter((other) => other.needs.group === needs.group).length;
    if (isDistinct && alike > 1) found.push(`${alike} tasks of group ${needs.group}, which wants distinct hosts`);
  }
  return found.map((text) => `host ${host.name}: ${text}`);
}
