/**
 * What the loops share while this host is admitted under one id: from a registration until the control plane says that it does not
 * know the host. Kept in memory only; the identity keeps what must last.
 */
export interface Session {
  readonly hostId: string;
  /** The store that this host belongs to, from its first admission. */
  readonly homeStoreEpoch: string;
  /** From the last fetch; absent before the first. */
  epochs: { readonly store: string; readonly host: number } | undefined;
  /** Ends when the host must register again. */
  readonly signal: AbortSignal;
  /** The control plane does not know this host (any more). */
  expire(): void;
}

export function openSession(hostId: string, homeStoreEpoch: string, agentSignal: AbortSignal): Session {
  const expired = new AbortController();
  return {
    hostId,
    homeStoreEpoch,
    epochs: undefined,
    signal: AbortSignal.any([agentSignal, expired.signal]),
    expire: () => expired.abort(),
  };
}

/** False while the control plane answers from a store that this host has never belonged to (restored, copied). */
export const isStoreKnown = (session: Session): boolean => session.epochs?.store === session.homeStoreEpoch;
