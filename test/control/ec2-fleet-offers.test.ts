/** What Ec2Fleet offers a cluster, from what EC2 sells, what it costs and how the cluster's hosts are launched. */
import { describe, expect, it } from 'vitest';
import { choice, one, openEc2 } from './support/ec2-fleet.ts';

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
