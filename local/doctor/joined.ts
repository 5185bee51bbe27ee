/** How a machine does that has joined a control plane as a host: from what its agent is told (agent.json), by looking and asking. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { readAgentConfig } from '../../agent/config.ts';
import { trustAuthority } from '../../client/authority.ts';
import { agentRuns } from '../join/foreground.ts';
import { type JoinPaths, joinPaths } from '../join/options.ts';
import type { CloudOptions } from '../options.ts';
import { socketFinding } from './engine.ts';
import { type Finding, finding, reasonOf } from './finding.ts';
import { controlPlaneFindings, registryFinding } from './network.ts';

const run = promisify(execFile);
const unitCgroup = '/gantry-agent.service';

/** Nothing where this machine has not joined. */
export async function joinedFindings({
  dataDir,
  runDir,
}: Pick<CloudOptions, 'dataDir' | 'runDir'>): Promise<Finding[]> {
  const paths = joinPaths({ dataDir, runDir });
  if (!existsSync(paths.config)) return [];
  try {
    const config = readAgentConfig(paths.config);
    if (config.certificateAuthority !== undefined) trustAuthority(config.certificateAuthority);
    const { socket, registryMirrors } = config.runtime;
    const mirrors = Object.entries(registryMirrors).flatMap(([name, urls]) => urls.map((url) => ({ name, url })));
    return [
      ...(await controlPlaneFindings(config.controlPlaneUrl, Date.now)),
      await socketFinding(
        socket,
        'Start it: `systemctl start gantry-containerd`, or `gantry join --foreground` where there are no units.',
      ),
      agentFinding(paths),
      ...admissionFinding(
        existsSync(paths.agentLog) ? readFileSync(paths.agentLog, 'utf8') : await journalOf('gantry-agent'),
      ),
      ...(await Promise.all(mirrors.map(({ name, url }) => registryFinding(name, url)))),
    ];
  } catch (error) {
    return [
      finding(
        'agent configuration',
        false,
        reasonOf(error),
        'Join again: `gantry join` writes it anew, with the same key.',
      ),
    ];
  }
}

function agentFinding(paths: JoinPaths): Finding {
  const isRunning = agentRuns(paths) || hasProcesses(unitCgroup);
  const advice =
    'Start it: `systemctl start gantry-agent`; `journalctl -u gantry-agent` (or agent.log) says why it ended or is refused.';
  return finding('agent', isRunning, isRunning ? 'running' : 'not running', advice);
}

/** What the agent has said last of being admitted; nothing where it has said nothing. */
function admissionFinding(log: string): Finding[] {
  const said = log
    .split('\n')
    .findLast((line) => /"msg":"(registered|the control plane does not admit this host)/.test(line));
  if (said === undefined) return [];
  const admitted = said.includes('"msg":"registered"');
  const why = /"err":\{.*?"message":"((?:[^"\\]|\\.)*)"/.exec(said)?.[1] ?? 'its log says why';
  const advice =
    'Join again with a new token (`gantry join-token`, where the control plane is reached); its key and tasks stay.';
  return [finding('admission', admitted, admitted ? 'the control plane knows this host' : `refused: ${why}`, advice)];
}

async function journalOf(unit: string): Promise<string> {
  try {
    return (await run('journalctl', ['--unit', unit, '--lines', '500', '--output', 'cat'], { timeout: 5000 })).stdout;
  } catch {
    return ''; // No systemd, or no journal.
  }
}

/** Whether the unit has a process, by its control group, whichever version. */
function hasProcesses(unit: string): boolean {
  return [
    '/sys/fs/cgroup/system.slice',
    '/sys/fs/cgroup/systemd/system.slice',
    '/sys/fs/cgroup/unified/system.slice',
  ].some((slice) => {
    const file = `${slice}${unit}/cgroup.procs`;
    return existsSync(file) && readFileSync(file, 'utf8').trim() !== '';
  });
}
