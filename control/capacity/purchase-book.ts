/**
 * The purchases of a cluster as one round of the loop knows and changes them: each change is written before it counts, on the condition
 * that nobody else was quicker. Then the round is over: what it knows is not true any more.
 */
import type { Purchase, PurchasedInstance } from '../../core/model/capacity.ts';
import type { ControlDeps } from '../deps.ts';
import { addPurchase, openPurchases, replacePurchase, takeTurn } from '../store/purchases.ts';
import { type Change, maxChangesPerCommit } from '../store/table.ts';

/** Another process has changed what this round was about: it looks again. */
export class Overtaken extends Error {
  override readonly name = 'Overtaken';
}

/** Beside the turn. */
export const mostPurchasesAtOnce = maxChangesPerCommit - 1;

type Deps = Pick<ControlDeps, 'table' | 'clock' | 'settings'>;

export class PurchaseBook {
  readonly #deps: Deps;
  readonly #cluster: string;
  readonly #known: Map<string, Purchase>;

  private constructor(deps: Deps, cluster: string, purchases: readonly Purchase[]) {
    this.#deps = deps;
    this.#cluster = cluster;
    this.#known = new Map(purchases.map((purchase) => [purchase.order.id, purchase]));
  }

  static async open(deps: Deps, cluster: string): Promise<PurchaseBook> {
    return new PurchaseBook(deps, cluster, await openPurchases(deps.table, cluster));
  }

  /** Those that are not over. */
  get all(): readonly Purchase[] {
    return [...this.#known.values()];
  }

  get(orderId: string): Purchase | undefined {
    return this.#known.get(orderId);
  }

  /** The purchase that an instance belongs to, unless that is over. */
  of(instanceId: string): Purchase | undefined {
    return this.all.find(({ instances }) => instances.some((instance) => instance.instanceId === instanceId));
  }

  /** Writes down what the fleet is asked for next, at most `mostPurchasesAtOnce`; throws Overtaken where the turn is another's. */
  async order(turn: number, purchases: readonly Purchase[]): Promise<void> {
    await this.#commit([takeTurn(this.#cluster, turn), ...purchases.map(addPurchase)]);
    for (const purchase of purchases) this.#known.set(purchase.order.id, purchase);
  }

  /** Writes down what was never written down: what is there counts from now on. */
  async add(purchase: Purchase): Promise<void> {
    await this.#commit([addPurchase(purchase)]);
    this.#known.set(purchase.order.id, purchase);
  }

  /** `also` is committed with it. */
  async change(orderId: string, change: (seen: Purchase) => Purchase, also: readonly Change[] = []): Promise<void> {
    const seen = this.#known.get(orderId);
    if (seen === undefined) return;
    const next = change(seen);
    await this.#commit([...replacePurchase(seen, next, this.#deps.settings.retentionSeconds), ...also]);
    if (next.state === 'CLOSED') this.#known.delete(orderId);
    else this.#known.set(orderId, { ...next, version: seen.version + 1 });
  }

  /** Changes some of a purchase's instances; once the last is ended, the purchase is over. */
  changeInstances(orderId: string, change: (instance: PurchasedInstance) => PurchasedInstance): Promise<void> {
    return this.change(orderId, (seen) => {
      const next = { ...seen, instances: seen.instances.map(change) };
      const isOver = next.state === 'LAUNCHED' && next.instances.every(({ endedAt }) => endedAt !== undefined);
      return isOver ? { ...next, state: 'CLOSED', closedAt: this.#deps.clock.now() } : next;
    });
  }

  async #commit(changes: readonly Change[]): Promise<void> {
    const { outcome } = await this.#deps.table.commit(changes);
    if (outcome !== 'done') throw new Overtaken(`the purchases of ${this.#cluster} were changed by somebody else`);
  }
}

export const isLeft = ({ endedAt }: PurchasedInstance): boolean => endedAt === undefined;
/** Neither ended nor about to be. */
export const isWanted = ({ endingAt, endedAt }: PurchasedInstance): boolean =>
  endingAt === undefined && endedAt === undefined;
