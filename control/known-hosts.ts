/**
 * Hosts of one cluster in memory, by shard of their listing, so that a page that was read again takes the place of what was known of
 * the same stretch of ids. Reads nothing itself.
 */
import type { HostCapacity } from '../core/model/host.ts';
import type { HostsPage } from './store/hosts.ts';
import { keys } from './store/keys.ts';

const shardOf = ({ cluster, hostId }: HostCapacity): string => keys.hostCapacity(cluster, hostId).pk;

export class KnownHosts {
  /** Changes with what is known. */
  readonly all: HostCapacity[] = [];
  readonly #position = new Map<string, number>();
  readonly #ofShard = new Map<string, Set<string>>();

  put(host: HostCapacity): void {
    const position = this.#position.get(host.hostId);
    if (position !== undefined) this.all[position] = host;
    else this.#position.set(host.hostId, this.all.push(host) - 1);
    const shard = shardOf(host);
    this.#ofShard.set(shard, (this.#ofShard.get(shard) ?? new Set()).add(host.hostId));
  }

  change(hostId: string, change: (host: HostCapacity) => HostCapacity): void {
    const position = this.#position.get(hostId);
    const host = position === undefined ? undefined : this.all[position];
    if (position !== undefined && host !== undefined) this.all[position] = change(host);
  }

  replaceAll(hosts: readonly HostCapacity[]): void {
    this.all.length = 0;
    this.#position.clear();
    this.#ofShard.clear();
    for (const host of hosts) this.put(host);
  }

  /** What a page of `shard` (its partition) after `after` holds is all that there is up to its end. */
  take(shard: string, { hosts, next }: HostsPage, after: string | undefined): void {
    const found = new Set(hosts.map(({ hostId }) => hostId));
    for (const hostId of this.#ofShard.get(shard) ?? []) {
      const isInPage = (after === undefined || hostId > after) && (next === undefined || hostId <= next);
      if (isInPage && !found.has(hostId)) this.#remove(shard, hostId);
    }
    for (const host of hosts) this.put(host);
  }

  #remove(shard: string, hostId: string): void {
    this.#ofShard.get(shard)?.delete(hostId);
    const position = this.#position.get(hostId);
    this.#position.delete(hostId);
    const last = this.all.pop();
    if (position === undefined || last === undefined || last.hostId === hostId) return;
    this.all[position] = last;
    this.#position.set(last.hostId, position);
  }
}
