import { describe, expect, it } from 'vitest';
import { createControl } from '../../control/create.ts';
import { interceptCommits } from './support/intercepted-table.ts';
import { startWorld } from './support/world.ts';

describe('a store', () => {
  it('is made once, whoever comes first, and keeps its epoch', async () => {
    await using world = await startWorld();
    const others = await Promise.all([world.another(), world.another()]);
    for (const { deps } of others) expect(deps.storeEpoch).toBe(world.control.deps.storeEpoch);
  });

  it('belongs to one region and one account for good', async () => {
    await using world = await startWorld();
    const open = (realm: object) => createControl({ ...world.control.deps, table: world.table, realm });
    expect((await open({ region: 'us-east-1' })).deps.realm).toEqual({
      region: 'us-east-1',
      accountId: '000000000000',
    });
    await expect(open({ region: 'eu-west-1' })).rejects.toMatchObject({ code: 'ClientException', field: 'region' });
    await expect(open({ accountId: '1'.repeat(12) })).rejects.toMatchObject({ field: 'accountId' });
  });

  it('that never takes the commit is given up on', async () => {
    await using world = await startWorld();
    const refusing = interceptCommits(world.table, async () => ({ outcome: 'conflict' }));
    const empty = { ...refusing, get: async () => undefined };
    const opening = createControl({ ...world.control.deps, table: empty });
    await expect(opening).rejects.toMatchObject({ code: 'ThrottlingException' });
  });
});
