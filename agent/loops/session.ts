/**
 * What the loops share while this host is admitted under one id: from a registration until the control plane says that it does not
 * know the host. The identity keeps what must last: the store that this host belongs to, and that it has met another.
 */
import type { DesiredSet, StoreDecision } from '../../core/host-protocol.ts';
import type { Admission, Identity } from '../identity.ts';

export interface Session {
  readonly hostId: string;
  /** The store that this host belongs to: from its first admission, or from the last handover. */
  readonly homeStoreEpoch: string;
  /** From the last fetch; absent before the first. */
  readonly epochs: { readonly store: string; readonly host: number; readonly decision?: StoreDecision } | undefined;
  /** False while the control plane answers from a store that this host does not belong to (restored, copied, put back). */
  readonly isStoreKnown: boolean;
  /** Grows when the store becomes known: what was fetched before is to be fetched again. */
  readonly handovers: number;
  /** Ends when the host must register again. */
  readonly signal: AbortSignal;
  /** The control plane does not know this host (any more). */
  expire(): void;
  /** Takes in what a fetch has answered: which store it is from, and whether that is the one that this host knows. */
  answered(set: DesiredSet): Promise<void>;
  /** What this host has was handed over: it belongs to the store that answers. */
  handedOver(): Promise<void>;
  /**
   * Writes down how far the store was. To be called now and then: tasks must not wait for it, and who dies before misses only that a store
   * was put back by less.
   */
  remember(): Promise<void>;
}

export function openSession(hostId: string, identity: Identity, home: string, agentSignal: AbortSignal): Session {
  const expired = new AbortController();
  let epochs: Session['epochs'];
  let handovers = 0;
  let greatest = identity.admission?.generation ?? 0;
  let kept = Promise.resolve();
  // One after the other: each changes what the one before has left.
  const keep = (members: Partial<Admission>): Promise<void> => {
    const change = async () => {
      if (identity.admission !== undefined) await identity.admit({ ...identity.admission, ...members });
    };
    kept = kept.then(change, change);
    return kept;
  };
  const homeStoreEpoch = (): string => identity.admission?.storeEpoch ?? home;
  const isBehind = ({ storeEpoch, hostEpoch, generation }: DesiredSet): boolean =>
    storeEpoch === homeStoreEpoch() && hostEpoch !== retiredEpoch && generation < greatest;

  return {
    hostId,
    get homeStoreEpoch() {
      return homeStoreEpoch();
    },
    get epochs() {
      return epochs;
    },
    get isStoreKnown() {
      return epochs?.store === homeStoreEpoch() && identity.admission?.isStranded !== true;
    },
    get handovers() {
      return handovers;
    },
    signal: AbortSignal.any([agentSignal, expired.signal]),
    expire: () => expired.abort(),
    async answered(set) {
      const { storeEpoch, hostEpoch, generation, decision } = set;
      const isStranded = identity.admission?.isStranded === true;
      // Before anything is said to that store: from then on its generation may overtake the one that is known here.
      if (!isStranded && isBehind(set)) await keep({ isStranded: true });
      epochs = { store: storeEpoch, host: hostEpoch, ...(decision === undefined ? {} : { decision }) };
      if (this.isStoreKnown) greatest = Math.max(greatest, generation);
    },
    async handedOver() {
      if (epochs === undefined) return;
      await keep({ storeEpoch: epochs.store, isStranded: undefined, generation: undefined });
      greatest = 0;
      handovers += 1;
    },
    async remember() {
      if (this.isStoreKnown && greatest !== (identity.admission?.generation ?? 0)) await keep({ generation: greatest });
    },
  };
}

/** Of the answer to a host that was retired: nothing is desired of it, and its generation means nothing. */
const retiredEpoch = 0;
