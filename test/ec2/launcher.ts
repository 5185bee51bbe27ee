/** Launches as many instances of a type in a subnet as there are and as the account may have. */
import type { RequestLaunchTemplateData } from '@aws-sdk/client-ec2';
import type { Capacity, Lifecycle } from './capacity.ts';
import { type Ec2Error, insufficientCapacity, spotLimitExceeded, vcpuLimitExceeded } from './errors.ts';
import type { Ids } from './ids.ts';
import type { InstanceTypeFacts } from './instance-types.ts';
import type { Ec2Instance, Instances } from './instances.ts';
import type { Subnet, Subnets } from './subnets.ts';
import { requireFew, specifiedTags } from './tags.ts';

interface Wish {
  readonly type: InstanceTypeFacts;
  readonly subnet: Subnet;
  readonly lifecycle: Lifecycle;
  readonly data: RequestLaunchTemplateData;
  /** Of EC2's own. */
  readonly tags: Readonly<Record<string, string>>;
  readonly clientToken: string;
  readonly fleetId?: string;
}

export class Launcher {
  readonly #capacity: Capacity;
  readonly #subnets: Subnets;
  readonly #instances: Instances;
  readonly #ids: Ids;

  constructor(parts: { capacity: Capacity; subnets: Subnets; instances: Instances; ids: Ids }) {
    this.#capacity = parts.capacity;
    this.#subnets = parts.subnets;
    this.#instances = parts.instances;
    this.#ids = parts.ids;
  }

  /** How many of `count` there can be, and what is in the way of the others. */
  room(
    type: InstanceTypeFacts,
    zone: string,
    lifecycle: Lifecycle,
    count: number,
  ): { count: number; shortage?: Ec2Error } {
    const limit = this.#capacity.vcpuLimit(lifecycle);
    const allowed = Math.max(0, Math.floor((limit - this.#instances.vcpusInUse(lifecycle)) / type.vcpus));
    const left = this.#capacity.left(type.name, zone);
    if (Math.min(allowed, left) >= count) return { count };
    if (allowed < left) {
      return { count: allowed, shortage: lifecycle === 'spot' ? spotLimitExceeded() : vcpuLimitExceeded(limit) };
    }
    return { count: left, shortage: insufficientCapacity(type.name, zone, this.#capacity.zonesWithRoom(type)) };
  }

  /** For as many as there is room: they share a reservation. */
  launch({ type, subnet, lifecycle, data, tags, clientToken, fleetId }: Wish, count: number): Ec2Instance[] {
    const all = { ...specifiedTags(data.TagSpecifications, 'instance'), ...tags };
    requireFew(all);
    const reservationId = this.#ids.next('r');
    return Array.from({ length: count }, (_, launchIndex) => {
      const privateIp = this.#subnets.nextAddress(subnet);
      this.#capacity.take(type.name, subnet.zone);
      return this.#instances.launch({
        instanceId: this.#ids.next('i'),
        reservationId,
        launchIndex,
        type,
        zone: subnet.zone,
        subnetId: subnet.subnetId,
        privateIp,
        lifecycle,
        data,
        tags: { ...all },
        clientToken,
        ...(fleetId !== undefined && { fleetId }),
      });
    });
  }
}
