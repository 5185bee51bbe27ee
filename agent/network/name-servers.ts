/** Which name servers a container can use: the machine's, unless they listen on its loopback, where no container gets to. */
import { readFileSync } from 'node:fs';

const machineFile = '/etc/resolv.conf';
/** systemd-resolved's list of the servers behind its own stub at 127.0.0.53. */
const behindStubFile = '/run/systemd/resolve/resolv.conf';
/** Docker's choice where nothing else is known. */
const publicServers = ['8.8.8.8', '8.8.4.4'];

/** The content of a container's /etc/resolv.conf. */
export function resolvConf(
  configured: readonly string[] | undefined,
  read: (path: string) => string = readOrEmpty,
): string {
  const machine = read(machineFile);
  const kept = lines(machine).filter((line) => /^(search|domain|options)\s/.test(line));
  const servers = configured ?? reachableServers(machine, read);
  return `${[...kept, ...servers.map((server) => `nameserver ${server}`)].join('\n')}\n`;
}

function reachableServers(machine: string, read: (path: string) => string): readonly string[] {
  for (const text of [machine, read(behindStubFile)]) {
    const servers = nameServers(text).filter((server) => !server.startsWith('127.') && !server.includes(':'));
    if (servers.length > 0) return servers;
  }
  return publicServers;
}

const nameServers = (text: string): string[] =>
  lines(text).flatMap((line) => /^nameserver\s+(\S+)/.exec(line)?.[1] ?? []);

const lines = (text: string): string[] => text.split('\n').map((line) => line.trim());

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
