/**
 * What the control plane relies on of a fleet, as tests that every fleet passes: the fake, this machine's slices, and EC2. A suite is
 * given how to open a fleet of its own; what a fleet cannot be made to do (run out of an offer, for example) is left out.
 */
import { describe, expect, it } from 'vitest';
import type { Fleet, FleetInstance } from '../../control/fleet/fleet.ts';
import { type Offer, type Order, offerSchema } from '../../core/model/capacity.ts';
import { hostNamePattern } from '../../core/model/host.ts';

export interface FleetUnderTest extends AsyncDisposable {
  readonly fleet: Fleet;
  /** The clusters that it may launch for. */
  readonly clusters: readonly [string, string];
  /** The most instances that it can have at once, where that is few enough for a test to reach. */
  readonly most?: number;
  /** The same fleet as another process has it. */
  readonly another: () => Promise<Fleet>;
  /** Lets time pass until `holds` answers true: what was launched shows late, what is ended goes late. */
  readonly until: (holds: () => Promise<boolean>) => Promise<void>;
  /** From now on there is none of this offer in this zone. */
  readonly exhaust?: (offer: string, zone: string) => Promise<void>;
}

export function describeFleet(name: string, open: () => Promise<FleetUnderTest>, timeoutMs = 10_000): void {
  describe(`${name} as a fleet`, { timeout: timeoutMs }, () => {
    it('offers kinds of hosts, each under a name of its own', async () => {
      await using at = await open();
      const offers = await at.fleet.offers(at.clusters[0]);
      expect(offers.length).toBeGreaterThan(0);
      for (const offer of offers) expect(offerSchema.parse(offer)).toEqual(offer);
      expect(new Set(offers.map((offer) => offer.name)).size).toBe(offers.length);
    });

    it('launches what was ordered, and lists it with its order', async () => {
      await using at = await open();
      const order = await orderOf(at, { count: 2 });
      const { instances, faults } = await at.fleet.launch(order);
      expect(faults).toEqual([]);
      expect(instances).toHaveLength(2);
      for (const { instanceId, offer, zone } of instances) {
        expect(instanceId).toMatch(hostNamePattern);
        expect(order.offers.find((wanted) => wanted.name === offer)?.zones).toContain(zone);
      }
      expect(new Set(idsOf(instances)).size).toBe(2);
      const listed = await listedOnce(at, order, 2);
      expect(idsOf(listed)).toEqual(idsOf(instances));
      for (const { orderId, offer, zone, launchedAt, instanceId } of listed) {
        const launched = instances.find((instance) => instance.instanceId === instanceId);
        expect({ orderId, offer, zone }).toEqual({ orderId: order.id, offer: launched?.offer, zone: launched?.zone });
        expect(launchedAt).toBeGreaterThan(0);
      }
      expect(await at.fleet.list(at.clusters[1])).toEqual([]);
    });

    it('launches nothing more for the same order, whoever asks and how often', async () => {
      await using at = await open();
      const order = await orderOf(at);
      const other = await at.another();
      const answers = await Promise.all([at.fleet.launch(order), other.launch(order)]);
      answers.push(await other.launch(order));
      const [first] = answers;
      for (const answer of answers) expect(idsOf(answer.instances)).toEqual(idsOf(first?.instances ?? []));
      expect(first?.instances).toHaveLength(1);
      expect(await listedOnce(at, order, 1)).toHaveLength(1);
    });

    it('launches nothing again for an order whose instances are ended', async () => {
      await using at = await open();
      const order = await orderOf(at);
      const { instances } = await at.fleet.launch(order);
      await listedOnce(at, order, 1);
      await at.fleet.terminate(idsOf(instances));
      await goneOnce(at, idsOf(instances));
      expect(idsOf((await at.fleet.launch(order)).instances)).toEqual(idsOf(instances));
      expect((await at.fleet.list(order.cluster)).filter(isThere)).toEqual([]);
    });

    it('takes two orders for two, and each cluster for itself', async () => {
      await using at = await open();
      const orders = [
        await orderOf(at, { cluster: at.clusters[0] }),
        await orderOf(at, { id: 'purchase-2', cluster: at.clusters[1] }),
      ];
      const ids: string[] = [];
      for (const order of orders) {
        ids.push(...idsOf((await at.fleet.launch(order)).instances));
        expect(idsOf(await listedOnce(at, order, 1))).toEqual(ids.slice(-1));
      }
      expect(new Set(ids).size).toBe(2);
    });

    it('ends instances, as often as it is asked to, and those that never were', async () => {
      await using at = await open();
      const order = await orderOf(at, { count: 2 });
      const { instances } = await at.fleet.launch(order);
      const [first = '', second = ''] = idsOf(instances);
      await listedOnce(at, order, 2);
      await at.fleet.terminate([first]);
      await at.fleet.terminate([first, 'i-00000000000000bad']);
      await goneOnce(at, [first]);
      expect(idsOf((await at.fleet.list(order.cluster)).filter(isThere))).toEqual([second]);
      await (await at.another()).terminate([second]);
      await goneOnce(at, [second]);
      await at.fleet.terminate([]);
    });

    it('says that an offer does not exist', async () => {
      await using at = await open();
      const order = await orderOf(at);
      const unheardOf = { ...order, offers: [{ name: 'no-such-offer', zones: order.offers[0]?.zones ?? [] }] };
      expect(await at.fleet.launch(unheardOf)).toMatchObject({ instances: [], faults: [{ kind: 'invalid' }] });
    });

    it('launches as many as it may, and says why not more', async ({ skip }) => {
      await using at = await open();
      const { most } = at;
      if (most === undefined) return skip('it has no limit that a test could reach');
      const order = await orderOf(at, { count: most + 1 });
      const { instances, faults } = await at.fleet.launch(order);
      expect(instances).toHaveLength(most);
      expect(faults).toEqual([expect.objectContaining({ kind: 'limit' })]);
      await listedOnce(at, order, most);
      await at.fleet.terminate(idsOf(instances).slice(0, 1));
      await goneOnce(at, idsOf(instances).slice(0, 1));
      const next = await at.fleet.launch(await orderOf(at, { id: 'purchase-2' }));
      expect([next.instances.length, next.faults]).toEqual([1, []]);
    });

    it('takes the next best where there is nothing of the best, and says where there is nothing at all', async ({
      skip,
    }) => {
      await using at = await open();
      const [best, next] = pairsOf(await at.fleet.offers(at.clusters[0]));
      if (at.exhaust === undefined || best === undefined || next === undefined) return skip('it does not run out');
      await at.exhaust(best.name, best.zone);
      const offers = [best, next].map(({ name, zone }) => ({ name, zones: [zone] }));
      const order = await orderOf(at, { offers });
      expect((await at.fleet.launch(order)).instances).toMatchObject([{ offer: next.name, zone: next.zone }]);
      const only = await orderOf(at, { id: 'purchase-2', offers: offers.slice(0, 1) });
      const { instances, faults } = await at.fleet.launch(only);
      expect(instances).toEqual([]);
      expect(faults).toMatchObject([{ kind: 'no-capacity', offer: best.name, zone: best.zone }]);
    });
  });
}

const idsOf = (instances: readonly { readonly instanceId: string }[]): string[] =>
  instances.map(({ instanceId }) => instanceId).sort();

const isThere = ({ state }: FleetInstance): boolean => state === 'pending' || state === 'running';

const pairsOf = (offers: readonly Offer[]): { readonly name: string; readonly zone: string }[] =>
  offers.flatMap(({ name, zones }) => zones.map((zone) => ({ name, zone })));

async function orderOf(at: FleetUnderTest, changes: Partial<Order> = {}): Promise<Order> {
  const offers = (await at.fleet.offers(at.clusters[0])).map(({ name, zones }) => ({ name, zones }));
  return {
    id: 'purchase-1',
    cluster: at.clusters[0],
    provider: 'provider',
    offers,
    market: 'on-demand',
    count: 1,
    ...changes,
  };
}

/** What is listed of an order once that many are, none of them ended. */
async function listedOnce(at: FleetUnderTest, { id, cluster }: Order, count: number): Promise<FleetInstance[]> {
  let listed: FleetInstance[] = [];
  await at.until(async () => {
    listed = (await at.fleet.list(cluster)).filter((instance) => instance.orderId === id && isThere(instance));
    return listed.length >= count;
  });
  return listed;
}

/** Not before it is ended: one that is ending may still count against a limit. */
async function goneOnce(at: FleetUnderTest, ids: readonly string[]): Promise<void> {
  await at.until(async () => {
    const listed = (await Promise.all(at.clusters.map((cluster) => at.fleet.list(cluster)))).flat();
    return listed.every(({ state, instanceId }) => state === 'ended' || !ids.includes(instanceId));
  });
}
