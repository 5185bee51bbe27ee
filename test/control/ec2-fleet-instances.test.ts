/** What Ec2Fleet finds of its instances, and how it ends them. */
import { describe, expect, it, vi } from 'vitest';
import { choice, one, openEc2, slowly } from './support/ec2-fleet.ts';

describe('instances on EC2', () => {
  it('are seen by the control plane that bought them alone', async () => {
    await using at = await openEc2();
    const other = at.another({ controlPlane: 'two' });
    const { instances } = await at.fleet.launch(one());
    expect(await other.list('default')).toEqual([]);
    expect((await other.launch(one({ id: 'purchase-2' }))).instances).toHaveLength(1);
    expect((await at.fleet.list('default')).map(({ instanceId }) => instanceId)).toEqual(
      instances.map(({ instanceId }) => instanceId),
    );
  });

  it('are listed from all pages', async () => {
    await using at = await openEc2({ pageSize: 5 });
    await at.fleet.launch(one({ count: 13 }));
    await at.fleet.launch(choice({ id: 'purchase-2', count: 4 }));
    expect(new Set((await at.fleet.list('default')).map(({ instanceId }) => instanceId)).size).toBe(17);
  });

  it('are listed in their states until they are ended', async () => {
    await using at = await openEc2(slowly);
    const { instances } = await at.fleet.launch(one());
    const states = async () => (await at.fleet.list('default')).map(({ state }) => state);
    expect(await states()).toEqual([]);
    at.pass(20_000);
    expect(await states()).toEqual(['pending']);
    at.pass(20_000);
    expect(await states()).toEqual(['running']);
    await at.fleet.terminate(instances.map(({ instanceId }) => instanceId));
    expect(await states()).toEqual(['ending']);
    at.pass(30_000);
    expect(await states()).toEqual([]);
  });

  it('are ended beside any number that never were', async () => {
    await using at = await openEc2();
    const { instances } = await at.fleet.launch(one({ count: 3 }));
    const strangers = Array.from({ length: 120 }, (_, index) => `i-${index.toString(16).padStart(17, '0')}`);
    const [a, b, c] = instances.map(({ instanceId }) => instanceId);
    await at.fleet.terminate([...strangers, a ?? '', 'no-id-at-all', b ?? '', ...strangers.slice(0, 3), c ?? '']);
    expect(await at.fleet.list('default')).toEqual([]);
  });

  it('are not taken for ended where EC2 does not know them yet', async () => {
    await using at = await openEc2(slowly);
    const { instances } = await at.fleet.launch(one({ count: 2 }));
    const ids = instances.map(({ instanceId }) => instanceId);
    await expect(at.fleet.terminate(['i-00000000000000bad', ...ids])).rejects.toThrow('InvalidInstanceID.NotFound');
    at.pass(20_000);
    await at.fleet.terminate(['i-00000000000000bad', ...ids]);
    at.pass(30_000);
    expect(at.ec2.instances().map(({ state }) => state)).toEqual(['terminated', 'terminated']);
  });

  it('are ended though one of them is protected from it, which is said', async () => {
    await using at = await openEc2();
    const { instances } = await at.fleet.launch(one({ count: 4 }));
    const ids = instances.map(({ instanceId }) => instanceId);
    // All four, the first two, the first.
    at.ec2.failNext({ action: 'TerminateInstances', kind: 'error', code: 'OperationNotPermitted', times: 3 });
    await expect(at.fleet.terminate(ids)).rejects.toThrow('OperationNotPermitted');
    expect((await at.fleet.list('default')).map(({ instanceId }) => instanceId)).toEqual(ids.slice(0, 1));
    await at.fleet.terminate(ids);
    expect(await at.fleet.list('default')).toEqual([]);
  });

  it('are not ended where EC2 does not let us, which is asked once', async () => {
    await using at = await openEc2();
    const { instances } = await at.fleet.launch(one({ count: 4 }));
    at.ec2.failNext({ action: 'TerminateInstances', kind: 'error', code: 'UnauthorizedOperation' });
    const ids = instances.map(({ instanceId }) => instanceId);
    await expect(at.fleet.terminate(ids)).rejects.toThrow('EC2 has not ended all of 4: UnauthorizedOperation');
    expect(await at.fleet.list('default')).toHaveLength(4);
  });

  it('are looked for where the environment says that EC2 is', async () => {
    await using at = await openEc2();
    await at.fleet.launch(one());
    vi.stubEnv('AWS_ENDPOINT_URL_EC2', at.ec2.url);
    try {
      expect(await at.another({ endpoint: undefined }).list('default')).toHaveLength(1);
    } finally {
      vi.unstubAllEnvs();
    }
  });
});
