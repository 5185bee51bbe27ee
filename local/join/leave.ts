/**
 * `gantry leave`: takes this machine out of its cluster. Its tasks come first: waited for, or stopped; then the control plane is told; then
 * containers, networks, control groups, mounts, units and configuration go. May be repeated at any point.
 */
import { existsSync, rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import { detectCgroups } from '../../agent/cgroups/cgroups.ts';
import type { RuntimeConfig } from '../../agent/config.ts';
import { createContainerdRuntime } from '../../agent/containerd/runtime.ts';
import { ControlPlaneError } from '../../agent/control-plane/client.ts';
import { removeHostNamespace } from '../../agent/network/host-namespace.ts';
import { removeHostNetwork } from '../../agent/network/host-network.ts';
import { listContainerNetns } from '../../agent/network/names.ts';
import { trustAuthority } from '../../client/authority.ts';
import { GantryError } from '../../core/errors.ts';
import type { HostSelf, LeaveRequest } from '../../core/host-protocol.ts';
import { plural } from '../../core/text.ts';
import { stopContainerd } from '../containerd.ts';
import { stopManaged } from '../managed-process.ts';
import { unmountBelow } from '../mounts.ts';
import { hostClient, refusalOf } from './admit.ts';
import { forgetJoined, type JoinedBefore, joinedBefore } from './before.ts';
import { agentProcess, keeperProcess } from './foreground.ts';
import { checkRoot } from './machine-checks.ts';
import { areUsual, type JoinPaths, joinPaths, type Places } from './options.ts';
import { Releases } from './release.ts';

const pollMs = 500;
/** For tasks that were told to stop: longer than most stopTimeouts; after it they are ended here. */
const stopTimeoutMs = 60_000;
const keeperEndMs = 30_000;

export interface LeaveRequestHere {
  readonly places: Places;
  /** Stop what runs, and leave also where the control plane cannot be told. */
  readonly force: boolean;
  /** Images and logs too. */
  readonly purge: boolean;
}

const log = pino({ level: 'error', base: null }, pino.destination(2));

/** Throws a GantryError where the control plane cannot be told and `force` does not say to go on. */
export async function leave(
  { places, force, purge }: LeaveRequestHere,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  checkRoot('leave');
  const paths = joinPaths(places);
  const before = joinedBefore(paths);
  if (before === undefined) say(`this machine is no host (there is no ${paths.config})`);
  const isTold = before === undefined || (await tell(before, { force, say, signal }));
  if (areUsual(places)) await new Releases().stop('gantry-agent.service');
  await stopManaged(keeperProcess(paths), keeperEndMs);
  await stopManaged(agentProcess(paths));
  if (before !== undefined) await removeContainers(before.config.runtime, say);
  await stopContainerd(paths.containerd);
  if (areUsual(places)) await new Releases().remove();
  unmountBelow([paths.runDir, paths.dataDir]);
  rmSync(paths.runDir, { recursive: true, force: true });
  forgetJoined(paths);
  forgetKey(paths, { isTold, purge });
  if (before !== undefined) say('removed containers, networks, control groups, units and configuration');
}

/** Its key is not admitted again once the control plane knows that the host has left. */
function forgetKey(paths: JoinPaths, { isTold, purge }: { readonly isTold: boolean; readonly purge: boolean }): void {
  if (purge) rmSync(paths.dataDir, { recursive: true, force: true });
  if (!isTold || !existsSync(paths.agentData)) return;
  for (const name of ['host-key.pem', 'host.json', 'tasks'])
    rmSync(`${paths.agentData}/${name}`, { recursive: true, force: true });
}

interface Telling {
  readonly force: boolean;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Answers whether the control plane knows that the host has left. */
async function tell({ config }: JoinedBefore, telling: Telling): Promise<boolean> {
  if (config.certificateAuthority !== undefined) trustAuthority(config.certificateAuthority);
  const host = await hostClient(config, log);
  if (host === undefined) return true; // It never was one.
  const step = (tasks: LeaveRequest['tasks']) => host.client.leave(host.hostId, { tasks });
  try {
    await untilGone(step, telling);
    telling.say(`the host ${config.hostName} has left the cluster ${config.cluster}`);
    return true;
  } catch (error) {
    if (!(error instanceof ControlPlaneError)) throw error;
    if (error.status === 401) return true; // Deregistered there, and forgotten.
    if (!telling.force) throw notTold(error);
    telling.say(
      `the control plane was not told (${error.message}): the host stays in its list until \`gantry deregister ${config.hostName} --force\` there`,
    );
    return false;
  }
}

function notTold(error: ControlPlaneError): unknown {
  const refused = refusalOf(error);
  if (!(refused instanceof GantryError)) return refused;
  return new GantryError(refused.code, refused.message, {
    hint: 'Try again when it answers; or say --force, which takes the host away here and leaves it in the control plane’s list.',
    cause: error,
  });
}

async function untilGone(
  step: (tasks: LeaveRequest['tasks']) => Promise<HostSelf>,
  { force, say, signal }: Telling,
): Promise<void> {
  const deadline = performance.now() + stopTimeoutMs;
  let told = -1;
  for (let ask: LeaveRequest['tasks'] = force ? 'stop' : 'wait'; ; ) {
    signal.throwIfAborted();
    const { status, tasks, connected } = await step(ask);
    if (status === 'INACTIVE') return;
    // Where its agent is gone, nobody stops them: what is left is ended with the host.
    if (force && (!connected || performance.now() > deadline)) ask = 'abandon';
    if (tasks !== told)
      say(`${plural(tasks, 'task')} left${force ? '' : ' (they are waited for; --force stops them)'}`);
    told = tasks;
    await delay(pollMs, undefined, { signal });
  }
}

/** Whatever an agent that could not be asked has left. */
async function removeContainers(runtime: RuntimeConfig, say: (line: string) => void): Promise<void> {
  if (existsSync(runtime.socket)) {
    try {
      const host = await createContainerdRuntime(runtime, { log });
      for (const { taskId } of await host.inventory()) await host.removeTask(taskId);
      await host.close();
    } catch (error) {
      say(`containers could not be removed one by one (${error instanceof Error ? error.message : String(error)})`);
    }
  }
  await detectCgroups().removeGroup(runtime.cgroupParent);
  for (const { name } of listContainerNetns(runtime.namespace)) await removeHostNamespace(name);
  await removeHostNetwork(runtime.network);
}
