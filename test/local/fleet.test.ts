/** Which slots an order gets, and what the records keep of it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Order } from '../../core/model/capacity.ts';
import { FleetRecords, type LiveHost, type OrderRecord, readLiveHosts } from '../../local/fleet/records.ts';
import { answerOrder, offerOf } from '../../local/fleet/slices.ts';

const machine = { cpuUnits: 4096, memoryMib: 10_000, cpuArchitecture: 'arm64' as const, address: '127.0.0.1' };
const of = (max: number) => ({ options: { fleet: { min: 0, max }, region: 'eu-west-1' }, machine });

const order = (changes: Partial<Order> = {}): Order => ({
  id: 'order-1',
  cluster: 'default',
  provider: 'local',
  offers: [{ name: 'slice', zones: ['eu-west-1a', 'eu-west-1b', 'eu-west-1c'] }],
  market: 'on-demand',
  count: 1,
  ...changes,
});

function answered(order_: Order, live: readonly LiveHost[], max: number): OrderRecord {
  const answer = answerOrder(order_, live, 1000, of(max));
  if ('kind' in answer) throw new Error(answer.message);
  return answer;
}

const liveOf = ({ hosts, orderId, cluster, provider, offer }: OrderRecord): LiveHost[] =>
  hosts.map((host) => ({ ...host, orderId, cluster, provider, offer }));

describe('a slice', () => {
  it('is an equal part of what the machine does not keep for itself', () => {
    expect(offerOf(of(4))).toMatchObject({
      name: 'slice',
      cpuUnits: 1024,
      memoryMib: 2250,
      architecture: 'arm64',
      zones: ['eu-west-1a', 'eu-west-1b', 'eu-west-1c'],
      hourlyUsd: 0,
    });
    expect(offerOf(of(2))).toMatchObject({ memoryMib: 4500, zones: ['eu-west-1a', 'eu-west-1b'] });
  });

  it('is the whole machine where there may be none', () => {
    expect(offerOf(of(0))).toMatchObject({ cpuUnits: 4096, memoryMib: 9000 });
    expect(answered(order(), [], 0)).toMatchObject({ hosts: [], limit: 'This machine has 0 of at most 0 hosts.' });
  });
});

describe('an order', () => {
  it('gets the lowest free slots, in the zones of which there are fewest', () => {
    const first = answered(order({ count: 3 }), [], 5);
    expect(first.hosts.map(({ slot, zone }) => [slot, zone])).toEqual([
      [1, 'eu-west-1a'],
      [2, 'eu-west-1b'],
      [3, 'eu-west-1c'],
    ]);
    const left = liveOf(first).filter(({ slot }) => slot !== 2);
    const second = answered(order({ id: 'order-2', count: 2 }), left, 5);
    expect(second.hosts.map(({ slot, zone }) => [slot, zone])).toEqual([
      [2, 'eu-west-1b'],
      [4, 'eu-west-1a'],
    ]);
    const ids = [...first.hosts, ...second.hosts].map(({ instanceId }) => instanceId);
    expect(new Set(ids).size).toBe(5);
    expect(answered(order({ count: 3 }), [], 5)).toEqual(first);
  });

  it('gets as many as there are slots, and is told why not more', () => {
    const { hosts, limit } = answered(order({ count: 3 }), [], 2);
    expect(hosts).toHaveLength(2);
    expect(limit).toBe('This machine has 2 of at most 2 hosts.');
  });

  it('gets no more memory than the larger hosts of an earlier fleet leave', () => {
    const earlier = liveOf(answered(order({ count: 2 }), [], 2)).slice(0, 1); // Half of the machine: 4500 MiB.
    const { hosts, limit } = answered(order({ id: 'order-2', count: 5 }), earlier, 6);
    expect(hosts.map(({ memoryMib }) => memoryMib)).toEqual([1500, 1500, 1500]);
    expect(limit).toBe("Of this machine's memory 0 MiB are left, and a slice has 1500.");
  });

  it.each([
    ['another offer', { offers: [{ name: 'm7g.large', zones: ['eu-west-1a'] }] }],
    ['a zone that there is not', { offers: [{ name: 'slice', zones: ['eu-west-1f'] }] }],
    ['spot', { market: 'spot' as const }],
  ])('of %s is refused for good', (_, changes) => {
    expect(answerOrder(order(changes), [], 1000, of(3))).toMatchObject({ kind: 'invalid' });
  });
});

describe('the records', () => {
  function temporary(): Disposable & { readonly directory: string } {
    const directory = mkdtempSync(join(tmpdir(), 'gantry-test-'));
    return { directory, [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }) };
  }

  it('are the same for whoever opens them next, down to the state of each host', async () => {
    using at = temporary();
    const records = new FleetRecords(at.directory);
    const record = answered(order({ id: '../any id', count: 3 }), [], 3);
    await records.exclusively(() => records.write(record));
    const [first, second] = record.hosts;
    await records.change(first?.instanceId ?? '', () => ({ state: 'ending' }));
    await records.end(second?.instanceId ?? '');
    await records.change('local-unknown', () => ({ state: 'ending' }));
    const again = new FleetRecords(at.directory);
    expect(again.live()).toEqual(records.live());
    expect(again.live().map(({ slot, state }) => [slot, state])).toEqual([
      [1, 'ending'],
      [3, 'pending'],
    ]);
    expect(readLiveHosts(at.directory)).toEqual(again.live());
    expect(again.order(record.orderId)).toEqual(records.order(record.orderId));
  });

  it('do not see what was not written to its end', () => {
    using at = temporary();
    writeFileSync(join(at.directory, 'aa.json.tmp'), '{"orderId":');
    expect(new FleetRecords(at.directory).live()).toEqual([]);
    expect(readLiveHosts(join(at.directory, 'nothing-here'))).toEqual([]);
  });

  it('are not passed over where they cannot be read', () => {
    using at = temporary();
    writeFileSync(join(at.directory, 'aa.json'), '{"orderId":"of another version"}');
    expect(() => readLiveHosts(at.directory)).toThrow(/aa\.json is no record of a launch .*`gantry down --purge`/);
  });

  it('let one change after the other, and go on after a failure', async () => {
    using at = temporary();
    const records = new FleetRecords(at.directory);
    const seen: string[] = [];
    const failing = records.exclusively(async () => {
      seen.push('first begins');
      await Promise.resolve();
      seen.push('first ends');
      throw new Error('no space left');
    });
    const next = records.exclusively(async () => void seen.push('second'));
    await expect(failing).rejects.toThrow('no space left');
    await next;
    expect(seen).toEqual(['first begins', 'first ends', 'second']);
  });

  it('forget an order an hour after its last host has gone, and not before', async () => {
    using at = temporary();
    const records = new FleetRecords(at.directory);
    const record = answered(order(), [], 1);
    await records.exclusively(() => records.write(record));
    const forgetLater = (minutes: number) => records.exclusively(() => records.forget(Date.now() + minutes * 60_000));
    await forgetLater(600);
    expect(records.live()).toHaveLength(1);
    await records.end(record.hosts[0]?.instanceId ?? '');
    await forgetLater(10);
    expect(records.order(record.orderId)).toBeDefined();
    await forgetLater(61);
    expect(records.order(record.orderId)).toBeUndefined();
    expect(new FleetRecords(at.directory).order(record.orderId)).toBeUndefined();
  });
});
