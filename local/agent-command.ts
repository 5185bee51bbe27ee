/**
 * How an agent is started on this machine. It shares the machine with what it is there for, so memory that its start has taken and its
 * idle hours do not need goes back to the kernel, where glibc would keep it, and garbage is collected in small steps: together some
 * 20 MiB. agent/install/gantry-agent.service says the same.
 */
import { fileURLToPath } from 'node:url';
import { hostToolsPath } from './containerd.ts';
import { nodeCommand } from './node-command.ts';

const agentEntry = fileURLToPath(import.meta.resolve('../agent/main.ts'));

export function agentCommand(
  configFile: string,
  env: NodeJS.ProcessEnv = {},
): { readonly command: string; readonly args: string[]; readonly env: NodeJS.ProcessEnv } {
  const { command, args } = nodeCommand(agentEntry, [configFile]);
  return {
    command,
    args: ['--max-semi-space-size=2', ...args],
    env: { PATH: hostToolsPath(), MALLOC_ARENA_MAX: '2', MALLOC_TRIM_THRESHOLD_: '65536', ...env },
  };
}
