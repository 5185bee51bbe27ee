/** Runs the machine's network tools (ip, iptables, nsenter) and says clearly what one of them complained of. Decides nothing. */
import { runInShell } from './tool-shell.ts';

/** A tool ended badly, or is not there at all (`missing`). */
export class ToolError extends Error {
  override readonly name = 'ToolError';
  readonly missing: boolean;
  /** What it wrote to stderr. */
  readonly complaint: string;

  constructor(command: string, options: { readonly missing: boolean; readonly complaint: string }) {
    super(
      options.missing
        ? `${command} is not installed on this host. Install it (packages iproute2, iptables, util-linux).`
        : `${command} failed: ${options.complaint.trim() || 'it gave no reason'}`,
    );
    this.missing = options.missing;
    this.complaint = options.complaint;
  }
}

export interface ToolOptions {
  readonly input?: string;
  /** Path of the network namespace to run in; absent: the agent's own. */
  readonly netns?: string | undefined;
}

/** Resolves with stdout when the tool ends with 0. Throws ToolError. */
export async function runTool(command: string, args: readonly string[], options: ToolOptions = {}): Promise<string> {
  // Not `ip netns exec`: it mounts /sys anew, which hides the control groups.
  const inside = options.netns === undefined ? [] : ['nsenter', `--net=${options.netns}`];
  const { exitCode, stdout, stderr } = await runInShell([...inside, command, ...args], options.input ?? '');
  if (exitCode === 0) return stdout;
  const missing = exitCode === 127 ? [command, 'nsenter'].find((name) => stderr.includes(name)) : undefined;
  throw new ToolError(missing ?? command, { missing: missing !== undefined, complaint: stderr });
}

/** What `ip` says of a thing that is there already, and of one that is gone. Kernels and versions differ in their words. */
const tolerable = {
  making: /File exists|already assigned|already exists/i,
  removing: /Cannot find device|No such (file|process|device)/i,
};
/** Lines that only say which line of the batch failed. */
const batchNoise = /^(Command failed|\s*$)/;

/**
 * Runs many `ip` commands in one process. A command whose effect is there already is no failure, so a half-made network is
 * completed, and a half-removed one removed, by the same batch. Throws ToolError with every other complaint.
 */
export async function ipBatch(
  doing: 'making' | 'removing',
  commands: readonly string[],
  netns?: string,
): Promise<void> {
  if (commands.length === 0) return;
  try {
    await runTool('ip', ['-force', '-batch', '-'], { input: `${commands.join('\n')}\n`, netns });
  } catch (error) {
    if (!(error instanceof ToolError) || error.missing) throw error;
    const complaints = error.complaint
      .split('\n')
      .filter((line) => !batchNoise.test(line) && !tolerable[doing].test(line));
    if (complaints.length > 0) throw new ToolError('ip', { missing: false, complaint: complaints.join('; ') });
  }
}
