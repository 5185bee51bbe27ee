/**
 * Which iptables works on this machine. The one that `iptables` means is tried first, because it is the one that others (Docker, a
 * firewall) use: what they drop can only be accepted in the same one.
 */
import { runTool, ToolError } from './tool.ts';

/** A program family: `<name>-save` lists the tables, `<name>-restore` changes them. */
export type FirewallBackend = string;

export const ipv4Backends: readonly FirewallBackend[] = ['iptables', 'iptables-nft', 'iptables-legacy'];
export const ipv6Backends: readonly FirewallBackend[] = ['ip6tables', 'ip6tables-nft', 'ip6tables-legacy'];

async function savedTables(backend: FirewallBackend, netns: string | undefined): Promise<string> {
  return await runTool(`${backend}-save`, [], { netns });
}

export async function savedTable(backend: FirewallBackend, table: 'nat', netns: string | undefined): Promise<string> {
  return await runTool(`${backend}-save`, ['-t', table], { netns });
}

export async function restoreTables(backend: FirewallBackend, input: string, netns: string | undefined): Promise<void> {
  // --wait: another program may hold the lock of the legacy tables.
  await runTool(`${backend}-restore`, ['--noflush', '--wait'], { input, netns });
}

/**
 * Applies a change by the first backend that can, and answers which. `change` makes the input from what the backend has now.
 * Throws the first ToolError when none can.
 */
export async function applyByFirstWorking(
  backends: readonly FirewallBackend[],
  netns: string | undefined,
  change: (saved: string) => string,
): Promise<FirewallBackend> {
  let first: ToolError | undefined;
  for (const backend of backends) {
    try {
      await restoreTables(backend, change(await savedTables(backend, netns)), netns);
      return backend;
    } catch (error) {
      if (!(error instanceof ToolError)) throw error;
      first ??= error;
    }
  }
  throw first ?? new Error('No iptables was named.');
}

/**
 * Every backend but the one in use, whatever name that has: the kernel keeps what was written through each apart, and what an earlier agent
 * wrote through another would still count.
 */
export async function otherBackends(
  backend: FirewallBackend,
  backends: readonly FirewallBackend[],
): Promise<FirewallBackend[]> {
  const kindOf = async (name: FirewallBackend) =>
    /\((\w+)\)/.exec(await runTool(`${name}-restore`, ['--version'], {}).catch(() => ''))?.[1];
  const used = await kindOf(backend);
  const kinds = await Promise.all(backends.map(async (name) => ({ name, kind: await kindOf(name) })));
  return kinds.flatMap(({ name, kind }) => (kind === undefined || kind === used ? [] : [name]));
}

/** Applies a change by every backend that is there; `change` answers nothing where there is nothing to do. */
export async function applyByEach(
  backends: readonly FirewallBackend[],
  netns: string | undefined,
  change: (saved: string) => string,
): Promise<void> {
  for (const backend of backends) {
    // A backend that is missing, or that the kernel does not support, holds nothing of ours.
    const saved = await savedTables(backend, netns).catch(() => '');
    const input = change(saved);
    if (input !== '') await restoreTables(backend, input, netns);
  }
}
