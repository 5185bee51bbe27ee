/** Asks every connected host of clusters what its containers use, so many at once and each for so long. Nothing is stored. */
import { GantryError } from '../../core/errors.ts';
import type { ControlDeps } from '../deps.ts';
import type { HostAnswer } from '../metrics/containers.ts';
import { statsOfHost } from './stats-of-host.ts';

/** Who scrapes waits ten seconds for all. */
const patienceMs = 4000;
const hostsAtOnce = 64;

export async function askHosts(deps: ControlDeps, clusters: readonly string[]): Promise<HostAnswer[]> {
  const hosts = (await Promise.all(clusters.map((cluster) => deps.capacity.hosts(cluster)))).flatMap((each) => [
    ...each,
  ]);
  const connected = hosts.filter((host) => host.connected);
  const answers: HostAnswer[] = [];
  const next = connected.values();
  const ask = async (): Promise<void> => {
    for (const { cluster, name, hostId } of next)
      answers.push({ cluster, host: name, containers: await askOne(deps, hostId) });
  };
  await Promise.all(Array.from({ length: hostsAtOnce }, ask));
  return answers.toSorted((a, b) =>
    a.cluster === b.cluster ? compare(a.host, b.host) : compare(a.cluster, b.cluster),
  );
}

async function askOne(deps: ControlDeps, hostId: string): Promise<HostAnswer['containers']> {
  try {
    return await statsOfHost(deps, hostId, AbortSignal.timeout(patienceMs));
  } catch (error) {
    if (error instanceof GantryError) return undefined;
    throw error;
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
