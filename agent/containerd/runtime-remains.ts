/**
 * What is left of a container that containerd lost sight of. Where its shim was killed while it worked: runc's own state and the mounted
 * root file system; containerd cleans up after such a shim, and does not always get that far. Where its creation broke off (its caller
 * or containerd was killed): the shim itself, which containerd kills the starter of and forgets. Takes away by id; fine where nothing is
 * left.
 */
import { existsSync, readFileSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { runTool } from '../network/tool.ts';

export async function removeRemains(
  { runtimeRoot, namespace }: { readonly runtimeRoot: string; readonly namespace: string },
  id: string,
): Promise<void> {
  const root = join(runtimeRoot, namespace);
  const state = join(root, id);
  if (existsSync(state)) {
    // It fails where containerd is at it as well. Processes that were left are told by the control group, which cannot go then.
    await runTool('runc', ['--root', root, 'delete', '--force', id]).catch(() => {});
    await rm(state, { recursive: true, force: true });
  }
  for (const path of mountsOf(namespace, id)) await runTool('umount', ['--lazy', path]);
}

/** The shim mounts the root file system into the container's bundle. */
const mountsOf = (namespace: string, id: string): string[] =>
  readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .flatMap((line) => line.split(' ')[4] ?? [])
    .filter((path) => path.endsWith(`/${namespace}/${id}/rootfs`));

/**
 * Ends the shims that were started for one of these containers. A shim serves all containers of its task, so that this waits until none
 * of them is left.
 */
export async function killShims(namespace: string, ids: readonly string[]): Promise<void> {
  const processes = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  for (const pid of processes) {
    const argv = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
    const isShim = basename(argv[0] ?? '').startsWith('containerd-shim');
    if (!isShim || flagOf(argv, '-namespace') !== namespace || !ids.includes(flagOf(argv, '-id'))) continue;
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }
}

const flagOf = (argv: readonly string[], flag: string): string =>
  argv.includes(flag) ? (argv[argv.indexOf(flag) + 1] ?? '') : '';
