/**
 * What buys and ends machines: EC2, or this machine's own slices. It can be asked for the same thing twice, and cannot be fenced:
 * whoever asks writes down first what he asks for (core/model/capacity.ts, Purchase). Decides nothing.
 */
import type { Offer, Order } from '../../core/model/capacity.ts';

export interface LaunchedInstance {
  readonly instanceId: string;
  readonly offer: string;
  readonly zone: string;
}

/** Why some or all of an order was not launched. */
export type LaunchFault =
  /** There is none of this offer in this zone now: try another, and this one again after a while. */
  | { readonly kind: 'no-capacity'; readonly offer: string; readonly zone: string; readonly message: string }
  /** A quota of the account (or of the machine) is reached. */
  | { readonly kind: 'limit'; readonly message: string }
  /** Ask the same again later. */
  | { readonly kind: 'throttled'; readonly message: string }
  /** Asking again will not help: what was asked for cannot be. */
  | { readonly kind: 'invalid'; readonly message: string };

export interface LaunchOutcome {
  /** As many as there were; fewer than `order.count` with faults that say why. */
  readonly instances: readonly LaunchedInstance[];
  readonly faults: readonly LaunchFault[];
}

/** An instance that carries our tags, whatever became of its purchase. */
export interface FleetInstance extends LaunchedInstance {
  /** The tag: `Order.id`. */
  readonly orderId: string;
  readonly state: 'pending' | 'running' | 'ending' | 'ended';
  /** Epoch milliseconds. */
  readonly launchedAt: number;
}

/** Who knows what is on offer: the fleet itself, or what it last said, in the store. */
export type Catalogue = Pick<Fleet, 'offers'>;

export interface Fleet {
  /** How long it takes to answer a launch at most: an order that is still open after that has lost its asker. A minute where absent. */
  readonly answersWithinMs?: number;
  /** What can be bought for the cluster now, with prices. Rejects where that is not known. */
  offers(cluster: string): Promise<readonly Offer[]>;
  /**
   * The same order again (its id is the client token) launches nothing more and answers what was launched, for at least ten minutes.
   * Rejects where it is not known whether anything was launched: ask again.
   */
  launch(order: Order): Promise<LaunchOutcome>;
  /** Everything with our tags of this cluster that is not ended; a launch may take a while to show. */
  list(cluster: string): Promise<readonly FleetInstance[]>;
  /** Repeatable; what is not there is ended already. Rejects where one is not ended, or may be to come: ask again. */
  terminate(instanceIds: readonly string[]): Promise<void>;
}
