/** The hosts as one call to `place` has changed them so far. The snapshot given is never touched. */
import type { HostCapacity } from '../model/host.ts';
import type { PlacementNeeds } from '../model/task.ts';
import { applyReservation } from './capacity.ts';

export class Draft {
  readonly needs: PlacementNeeds;
  readonly #hosts: readonly HostCapacity[];
  readonly #changed = new Map<number, HostCapacity>();

  constructor(hosts: readonly HostCapacity[], needs: PlacementNeeds) {
    this.#hosts = hosts;
    this.needs = needs;
  }

  get size(): number {
    return this.#hosts.length;
  }

  /** The host as it was given. */
  original(index: number): HostCapacity {
    const host = this.#hosts[index];
    if (host === undefined) throw new RangeError(`there is no host ${index} among ${this.#hosts.length}`);
    return host;
  }

  /** The host with what this call has placed on it. */
  host(index: number): HostCapacity {
    return this.#changed.get(index) ?? this.original(index);
  }

  /** Whether this call has placed a task on the host. */
  isUsed(index: number): boolean {
    return this.#changed.has(index);
  }

  place(index: number): HostCapacity {
    const host = applyReservation(this.host(index), this.needs, 'placed-by-this-call');
    this.#changed.set(index, host);
    return host;
  }

  all(): HostCapacity[] {
    return this.#hosts.map((_, index) => this.host(index));
  }
}
