/** What a plan of capacity is made of, and what it says. Pure data; times are epoch milliseconds. */
import type { CapacityLimits, CapacityPolicy, Offer, Order, Purchase } from '../../model/capacity.ts';
import type { HostCapacity } from '../../model/host.ts';
import type { PlacementNeeds } from '../../model/task.ts';

export interface WaitingDemand {
  readonly taskId: string;
  readonly createdAt: number;
  readonly needs: PlacementNeeds;
}

export interface HostTaskFacts {
  readonly taskId: string;
  readonly needs: PlacementNeeds;
  /** Registered or tagged `gantry:replaceable`: it may be stopped once a successor that `replaces` it is there. */
  readonly replaceable: boolean;
}

/** A host of this provider that has joined. */
export interface OwnedHost {
  readonly host: HostCapacity;
  readonly instanceId: string;
  readonly offer: string;
  readonly zone: string;
  readonly hourlyUsd: number;
  readonly joinedAt: number;
  /** Since when it has no task; absent while it has one. */
  readonly emptySince: number | undefined;
  readonly tasks: readonly HostTaskFacts[];
}

/** An offer that was refused lately, and is not asked for again before `until`. */
export interface Blame {
  readonly offer: string;
  readonly zone: string;
  /** `spot-first` falls back to the other. */
  readonly market: Order['market'];
  readonly until: number;
  readonly why: string;
}

export interface CapacityInput {
  readonly now: number;
  readonly cluster: string;
  readonly provider: string;
  readonly offers: readonly Offer[];
  readonly limits: CapacityLimits;
  readonly policy: CapacityPolicy;
  /** Oldest first. Those that fit on a host as it is now are placed by another loop and are still here. */
  readonly waiting: readonly WaitingDemand[];
  readonly hosts: readonly OwnedHost[];
  /** Hosts of the cluster that this provider does not own: room that need not be bought. */
  readonly otherHosts: readonly HostCapacity[];
  /** Not CLOSED: what is on order counts from these, instance by instance. */
  readonly purchases: readonly Purchase[];
  readonly blames: readonly Blame[];
}

/** `id` is given by whoever writes the purchase down. */
export interface Launch {
  readonly order: Omit<Order, 'id'>;
  readonly covers: readonly string[];
  readonly hourlyUsd: number;
  readonly why: string;
}

export interface Drain {
  readonly hostId: string;
  readonly instanceId: string;
  readonly why: string;
  /** When what may not be replaced is stopped all the same: never, for consolidation. */
  readonly deadline: number | undefined;
}

/** A host or an instance that has nothing to do and goes now. */
export interface Termination {
  readonly instanceId: string;
  /** Where it has joined. */
  readonly hostId: string | undefined;
  readonly why: string;
}

/** Tasks of one shape for which nothing is bought, and why: shown on each of them. */
export interface Unmet {
  readonly taskIds: readonly string[];
  readonly why: string;
}

export interface CapacityPlan {
  readonly launches: readonly Launch[];
  readonly drains: readonly Drain[];
  readonly terminations: readonly Termination[];
  readonly unmet: readonly Unmet[];
  /** Tasks that wait for something on order: task id to the sentence that says for what. */
  readonly awaited: ReadonlyMap<string, string>;
  /** When the plan may be another without anything else happening (idle time over, blame over); absent: never. */
  readonly againAt: number | undefined;
  /** What was decided and why, a sentence each, for events and `gantry capacity`. */
  readonly explanation: readonly string[];
}
