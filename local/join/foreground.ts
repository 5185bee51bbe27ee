/**
 * A joined host without units: Gantry's own containerd and the agent as processes that this one starts, adopts and supervises. When it
 * ends, the agent ends with it; containerd and containers run on.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { GantryError } from '../../core/errors.ts';
import { agentCommand } from '../agent-command.ts';
import { runningContainerd, startContainerd } from '../containerd.ts';
import { logTail, type ManagedProcess, runningPid, startManaged, stopManaged } from '../managed-process.ts';
import { supervise } from '../supervise.ts';
import type { JoinPaths } from './options.ts';

export const agentProcess = (paths: JoinPaths): ManagedProcess => ({ pidFile: paths.agentPid, marker: paths.config });

/** `gantry join --foreground` itself. */
export const keeperProcess = (paths: JoinPaths): ManagedProcess => ({
  pidFile: `${paths.runDir}/join.pid`,
  marker: 'join',
});

export function refuseSecond(paths: JoinPaths): void {
  const pid = runningPid(keeperProcess(paths));
  if (pid === undefined || pid === process.pid) return;
  throw new GantryError('ClientException', `This host is in the foreground of another process already (pid ${pid}).`, {
    hint: 'End that one first; or use another --data, --run-dir and --prefix for a second host on this machine.',
  });
}

/** Answers whether the agent was started: one that runs and is told the same is left alone. */
export async function startHost(
  paths: JoinPaths,
  { configChanged }: { readonly configChanged: boolean },
): Promise<boolean> {
  await startContainerd(paths.containerd);
  if (configChanged) await stopManaged(agentProcess(paths));
  if (runningPid(agentProcess(paths)) !== undefined) return false;
  startAgent(paths);
  return true;
}

const startAgent = (paths: JoinPaths): number =>
  startManaged({
    ...agentProcess(paths),
    ...agentCommand(paths.config, { NODE_USE_SYSTEM_CA: '1' }),
    logFile: paths.agentLog,
  });

export const agentRuns = (paths: JoinPaths): boolean => runningPid(agentProcess(paths)) !== undefined;

export const agentLog = (paths: JoinPaths): string => logTail(paths.agentLog);

/** Until the signal fires; then the agent is ended. */
export async function keepHost(paths: JoinPaths, say: (line: string) => void, signal: AbortSignal): Promise<void> {
  writeFileSync(keeperProcess(paths).pidFile, `${process.pid}\n`);
  try {
    await supervise(
      [
        {
          what: 'containerd',
          logFile: paths.containerd.logFile,
          isRunning: () => runningContainerd(paths.containerd) !== undefined,
          start: () => startContainerd(paths.containerd),
        },
        {
          what: 'the agent',
          logFile: paths.agentLog,
          isRunning: () => agentRuns(paths),
          start: () => startAgent(paths),
        },
      ],
      say,
      signal,
    );
  } finally {
    await stopManaged(agentProcess(paths));
    rmSync(keeperProcess(paths).pidFile, { force: true });
  }
}
