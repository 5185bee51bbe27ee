/** The files of /etc that say who a container is on its network: made on the host, one set a container, and mounted into it. */
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EtcFiles } from '../oci/mounts.ts';
import { resolvConf } from './name-servers.ts';

export interface EtcContent {
  readonly hostname: string;
  /** Its address in bridge mode; absent where it has none. */
  readonly address?: string | undefined;
  /** In host mode the machine's own files are copied: the container is at the same place. */
  readonly likeTheMachine: boolean;
  readonly nameServers: readonly string[] | undefined;
}

export async function writeEtcFiles(directory: string, content: EtcContent): Promise<EtcFiles> {
  const files: EtcFiles = {
    hosts: join(directory, 'hosts'),
    hostname: join(directory, 'hostname'),
    resolvConf: join(directory, 'resolv.conf'),
  };
  await mkdir(directory, { recursive: true });
  await Promise.all([
    writeFile(files.hosts, content.likeTheMachine ? copyOf('/etc/hosts') : hosts(content)),
    writeFile(files.hostname, `${content.hostname}\n`),
    writeFile(files.resolvConf, content.likeTheMachine ? copyOf('/etc/resolv.conf') : resolvConf(content.nameServers)),
  ]);
  return files;
}

function hosts({ hostname, address }: EtcContent): string {
  const own = address === undefined ? [] : [`${address}\t${hostname}`];
  return ['127.0.0.1\tlocalhost', '::1\tlocalhost ip6-localhost ip6-loopback', ...own, ''].join('\n');
}

function copyOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // The machine has none.
  }
}
