/** Launches as many instances of a type in a subnet as there are and as the account may have. */
import type { RequestLaunchTemplateData } from '@aws-sdk/client-ec2';
import type { Capacity, Lifecycle } from './capacity.ts';
import {
  type Ec2Error,
  insufficientAddresses,
  insufficientCapacity,
  spotLimitExceeded,
  vcpuLimitExceeded,
} from './errors.ts';
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

interface Room {
  readonly count: number;
  readonly shortage?: Ec2Error;
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

  /** How many of `count` there can be, and what is in the way of the others: what leaves the fewest. */
  room(type: InstanceTypeFacts, subnet: Subnet, lifecycle: Lifecycle, count: number): Room {
    const limit = this.#capacity.vcpuLimit(lifecycle);
    const bounds: Room[] = [
      {
        count: this.#capacity.left(type.name, subnet.zone),
        shortage: insufficientCapacity(type.name, subnet.zone, this.#capacity.otherZones(type, subnet.zone)),
      },
      {
        count: Math.max(0, Math.floor((limit - this.#instances.vcpusInUse(lifecycle)) / type.vcpus)),
        shortage: lifecycle === 'spot' ? spotLimitExceeded() : vcpuLimitExceeded(limit),
      },
      { count: this.#subnets.freeAddresses(subnet), shortage: insufficientAddresses(subnet.subnetId) },
    ];
    return bounds.reduce((least, bound) => (bound.count < least.count ? bound : least), { count });
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
