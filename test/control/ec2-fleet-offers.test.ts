/** What Ec2Fleet offers a cluster, from what EC2 sells, what it costs and how the cluster's hosts are launched. */
import { describe, expect, it } from 'vitest';
import { defaultTypes, type InstanceTypeFacts } from '../ec2/instance-types.ts';
import { choice, one, openEc2 } from './support/ec2-fleet.ts';

const minuteMs = 60_000;

const typeNamed = (name: string): InstanceTypeFacts => {
  const found = defaultTypes.find((type) => type.name === name);
  if (found === undefined) throw new Error(`there is no ${name}`);
  return found;
};

describe('offers', () => {
  it('are what EC2 sells, less what a host keeps, at the price of the dearest zone', async () => {
    const spotUsd = { 'us-east-1a': 0.03, 'us-east-1b': 0.05, 'us-east-1c': 0.09 };
    await using at = await openEc2({ types: [{ ...typeNamed('m7g.large'), spotUsd }] }, (supply) => ({
      ...supply,
      subnets: { 'us-east-1b': 'subnet-b', 'us-east-1a': 'subnet-a' },
    }));
    expect(await at.fleet.offers('default')).toEqual([
      {
        name: 'm7g.large',
        cpuUnits: 2048,
        // 630 that the kernel does not see at most, and a twentieth of the rest for the system.
        memoryMib: 8192 - 630 - 379,
        nominal: { vcpus: 2, memoryMib: 8192 },
        architecture: 'arm64',
        zones: ['us-east-1a', 'us-east-1b'],
        hourlyUsd: 0.0816,
        spotHourlyUsd: 0.05,
        attributes: { 'ecs.instance-type': 'm7g.large', 'ecs.cpu-architecture': 'arm64', 'ecs.os-type': 'linux' },
      },
    ]);
  });

  it('have as much memory as the supply lets them', async () => {
    await using at = await openEc2({ types: [typeNamed('m7g.large')] }, (supply) => ({
      ...supply,
      reservedMemoryMib: 1000,
    }));
    expect(await at.fleet.offers('default')).toMatchObject([{ memoryMib: 8192 - 630 - 1000 }]);
  });

  /** As measured on instances, in MiB that the kernel does not see. */
  it.each([
    ['t3.nano', 512, 89],
    ['t3.micro', 1024, 104],
    ['c6g.medium', 2048, 209],
    ['c5.large', 4096, 433],
    ['m5.large', 8192, 559],
    ['a1.4xlarge', 32_768, 1770],
    ['c5.9xlarge', 73_728, 3521],
    ['m6a.48xlarge', 786_432, 28_648],
  ])('never promise more memory than a %s has', async (name, memoryMib, unseenMib) => {
    const type = { ...typeNamed('m7i.large'), name, memoryMib };
    await using at = await openEc2({ types: [type] }, (supply) => ({ ...supply, reservedMemoryMib: 0 }));
    const [offer] = await at.fleet.offers('default');
    expect(offer?.memoryMib).toBeLessThanOrEqual(memoryMib - unseenMib);
    expect(offer?.memoryMib).toBeGreaterThanOrEqual((memoryMib - unseenMib) * 0.9);
  });

  it('leave out what costs nobody knows what, what is sold elsewhere, and spot where there is none', async () => {
    const { spotUsd: _, ...onDemandOnly } = typeNamed('c7i.large');
    const elsewhere = { ...typeNamed('m7i.large'), zones: ['us-east-1c'] };
    const types = [onDemandOnly, elsewhere, typeNamed('m7g.large')];
    await using at = await openEc2({ types }, (supply) => ({ ...supply, subnets: { 'us-east-1a': 'subnet-a' } }));
    const prices = async () =>
      new Map([
        ['c7i.large', 1],
        ['m7i.large', 1],
      ]);
    const offers = await at.another({ prices }).offers('default');
    expect(offers.map(({ name, spotHourlyUsd }) => [name, spotHourlyUsd])).toEqual([['c7i.large', undefined]]);
  });

  it('are read from all pages', async () => {
    await using at = await openEc2({ pageSize: 3 });
    expect((await at.fleet.offers('default')).map(({ name }) => name)).toEqual(
      defaultTypes.map(({ name }) => name).sort(),
    );
  });

  it('are asked for once: what changes slowly by the hours, spot prices by the minute', async () => {
    await using at = await openEc2();
    const asked = async (): Promise<string[]> => {
      const before = at.ec2.requests.length;
      await Promise.all([at.fleet.offers('default'), at.fleet.offers('other')]);
      return at.ec2.requests
        .slice(before)
        .map(({ action }) => action)
        .sort();
    };
    const slow = ['DescribeInstanceTypeOfferings', 'DescribeInstanceTypes'];
    expect(await asked()).toEqual([...slow, 'DescribeSpotPriceHistory']);
    at.pass(4 * minuteMs);
    expect(await asked()).toEqual([]);
    at.pass(2 * minuteMs);
    expect(await asked()).toEqual(['DescribeSpotPriceHistory']);
    at.pass(6 * 60 * minuteMs);
    expect(await asked()).toEqual([...slow, 'DescribeSpotPriceHistory']);
  });

  it.each([
    ['DescribeInstanceTypes', 'its instance types'],
    ['DescribeInstanceTypeOfferings', 'the zones of its instance types'],
    ['DescribeSpotPriceHistory', 'its spot prices'],
  ])('are those of before where %s fails, and unknown where there were none', async (action, what) => {
    await using at = await openEc2();
    const warnings: string[] = [];
    const warn = (_: object, message: string): void => void warnings.push(message);
    const fleet = at.another({ log: { warn } });
    const fail = { action, kind: 'error', code: 'UnauthorizedOperation' } as const;
    at.ec2.failNext(fail);
    await expect(fleet.offers('default')).rejects.toThrow(`${what} could not be read`);
    const offers = await fleet.offers('default');
    at.pass(24 * 60 * minuteMs);
    at.ec2.failNext(fail);
    expect(await fleet.offers('default')).toEqual(offers);
    expect(warnings).toEqual([`${what} could not be read again; what was read before is used`]);
  });
});

describe('the supply of a cluster', () => {
  it('has to be there', async () => {
    await using at = await openEc2();
    expect(await at.fleet.offers('unheard-of')).toEqual([]);
    const { instances, faults } = await at.fleet.launch(one({ cluster: 'unheard-of' }));
    expect(instances).toEqual([]);
    expect(faults).toEqual([{ kind: 'invalid', message: expect.stringContaining('deploy its GantryCluster') }]);
    expect(at.ec2.requests).toEqual([]);
  });

  it('leaves out what it has no launch template and no subnet for', async () => {
    await using at = await openEc2({}, ({ launchTemplates: { arm64 }, subnets, ...supply }) => ({
      ...supply,
      launchTemplates: arm64 === undefined ? {} : { arm64 },
      subnets: Object.fromEntries(Object.entries(subnets).filter(([zone]) => zone !== 'us-east-1b')),
    }));
    const offers = await at.fleet.offers('default');
    expect(offers.map(({ name }) => name)).toEqual(['c7g.large', 'm7g.large', 'm7g.xlarge']);
    expect(new Set(offers.flatMap(({ zones }) => zones))).toEqual(new Set(['us-east-1a', 'us-east-1c']));
    const { instances, faults } = await at.fleet.launch(choice());
    expect(instances).toMatchObject([{ offer: 'm7g.large', zone: 'us-east-1a' }]);
    expect(faults.map(({ message }) => message)).toEqual([
      'The hosts of the cluster default have no subnet in us-east-1b.',
      'The hosts of the cluster default have no subnet in us-east-1b.',
    ]);
    const intel = await at.fleet.launch(
      one({ id: 'purchase-2', offers: [{ name: 'm7i.large', zones: ['us-east-1a'] }] }),
    );
    expect(intel).toEqual({
      instances: [],
      faults: [{ kind: 'invalid', message: 'The hosts of the cluster default have no launch template for x86_64.' }],
    });
  });

  it('may change between two asks: what was launched by the first is found', async () => {
    let version = '1';
    await using at = await openEc2({}, (supply) => ({
      ...supply,
      launchTemplates: { arm64: { id: supply.launchTemplates.arm64?.id ?? '', version } },
    }));
    const { instances } = await at.fleet.launch(one({ count: 2 }));
    version = '2';
    const again = await at.another().launch(one({ count: 2 }));
    expect(again).toEqual({ instances, faults: [] });
    expect(at.ec2.instances()).toHaveLength(2);
  });
});
