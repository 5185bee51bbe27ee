import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createAccessKeys } from '../../control/keys/access-keys.ts';
import { createSecretBox } from '../../control/keys/secret-box.ts';
import { UnopenedSecret } from '../../control/keys/unopened-secret.ts';
import { addDataKey, getDataKey } from '../../control/store/data-key.ts';
import { keys } from '../../control/store/keys.ts';
import { hostAccessKinds } from '../../core/model/rights.ts';
import { startWorld, type World } from './support/world.ts';

const everything = { userName: 'deployer', actions: ['read', 'run'] };

/** As keys were stored at first: not listed, with the secret as it is, and without limits. */
async function putOld({ table }: World, accessKeyId: string) {
  const principal = { arn: 'arn:aws:iam::000000000000:user/admin', actions: ['read'] };
  const key = keys.accessKey(accessKeyId);
  const data = { accessKeyId, secretAccessKey: 'as it is', principal, createdAt: 1 };
  await table.commit([{ kind: 'put', item: { ...key, v: 1, data }, when: [] }]);
  return key;
}

describe('an access key', () => {
  it('is stored sealed where there is a data key, and shown with its secret only once', async () => {
    const box = createSecretBox(randomBytes(32));
    await using world = await startWorld({ secretBox: box });
    const { accessKey, secretAccessKey } = await world.call('CreateAccessKey', {
      ...everything,
      clusters: ['default'],
    });
    expect(accessKey).toMatchObject({
      principalArn: 'arn:aws:iam::000000000000:user/deployer',
      actions: ['read', 'run'],
      clusters: ['default'],
    });
    const { accessKeyId } = accessKey;
    expect(await world.control.accessKeys.find(accessKeyId)).toMatchObject({ secretAccessKey });
    for (const key of [keys.accessKey(accessKeyId), keys.accessKeyListing(accessKeyId)]) {
      expect(JSON.stringify(await world.table.get(key))).not.toContain(secretAccessKey);
    }
    const listed = await world.call('ListAccessKeys', {});
    expect(listed).toEqual({ accessKeys: [accessKey] });
    expect(JSON.stringify(listed)).not.toContain(secretAccessKey);
  });

  it('that was made before sealing and limits has no limits, and is sealed when it is used', async () => {
    await using world = await startWorld({ secretBox: createSecretBox(randomBytes(32)) });
    const key = await putOld(world, 'GKIA0000000000000OLD');
    for (let use = 0; use < 2; use += 1) {
      expect(await world.control.accessKeys.find('GKIA0000000000000OLD')).toMatchObject({
        secretAccessKey: 'as it is',
        principal: { clusters: 'all', actions: ['read'], taskRoles: ['*'], hostAccess: hostAccessKinds },
      });
      expect(JSON.stringify(await world.table.get(key))).not.toContain('as it is');
    }
  });

  it('of a store from before is sealed with all others, listed or not', async () => {
    await using world = await startWorld();
    const { accessKey, secretAccessKey } = await world.call('CreateAccessKey', everything);
    const unlisted = await putOld(world, 'GKIA0000000000000OLD');
    const box = createSecretBox(randomBytes(32));
    const accessKeys = createAccessKeys({ ...world.control.deps, secretBox: box });
    await accessKeys.sealAll('GKIA0000000000000OLD');
    const stored = [await world.table.get(keys.accessKey(accessKey.accessKeyId)), await world.table.get(unlisted)];
    expect(stored.map((item) => Object.keys(item?.data ?? {}).sort())).toEqual(
      Array(2).fill(['accessKeyId', 'createdAt', 'principal', 'sealedSecret']),
    );
    await accessKeys.sealAll();
    expect(await accessKeys.find(accessKey.accessKeyId)).toMatchObject({ secretAccessKey });
    expect(await accessKeys.find('GKIA0000000000000OLD')).toMatchObject({ secretAccessKey: 'as it is' });
  });

  it('that is sealed cannot be used without its data key, nor with another', async () => {
    await using world = await startWorld({ secretBox: createSecretBox(randomBytes(32)) });
    const { accessKey } = await world.call('CreateAccessKey', everything);
    await using other = await startWorld({ secretBox: createSecretBox(randomBytes(32)) });
    await using bare = await startWorld();
    const item = await world.table.get(keys.accessKey(accessKey.accessKeyId));
    if (item === undefined) throw new Error('the key was not stored');
    for (const { table, control } of [other, bare]) {
      await table.commit([{ kind: 'put', item, when: [] }]);
      await expect(control.accessKeys.find(accessKey.accessKeyId)).rejects.toThrow(UnopenedSecret);
    }
  });

  it('that is deleted is unknown at once here, and within ten seconds to every other process', async () => {
    await using world = await startWorld();
    const { accessKey } = await world.call('CreateAccessKey', everything);
    const { accessKeyId } = accessKey;
    const other = await world.another();
    expect(await other.accessKeys.find(accessKeyId)).toBeDefined();
    expect(await world.control.accessKeys.find(accessKeyId)).toBeDefined();
    await world.call('DeleteAccessKey', { accessKeyId });
    expect(await world.control.accessKeys.find(accessKeyId)).toBeUndefined();
    world.advance(10);
    expect(await other.accessKeys.find(accessKeyId)).toBeUndefined();
    expect(await world.call('ListAccessKeys', {})).toEqual({ accessKeys: [] });
    await expect(world.call('DeleteAccessKey', { accessKeyId })).rejects.toMatchObject({
      code: 'ResourceNotFoundException',
    });
  });

  it('is listed in pages', async () => {
    await using world = await startWorld();
    const made: string[] = [];
    for (let index = 0; index < 5; index += 1) {
      made.push((await world.call('CreateAccessKey', everything)).accessKey.accessKeyId);
    }
    const seen: string[] = [];
    let nextToken: string | undefined;
    do {
      const page = await world.call('ListAccessKeys', { limit: 2, ...(nextToken === undefined ? {} : { nextToken }) });
      seen.push(...page.accessKeys.map(({ accessKeyId }) => accessKeyId));
      nextToken = page.nextToken;
    } while (nextToken !== undefined);
    expect(seen).toEqual(made.toSorted());
  });

  it.each([
    [{ userName: 'no spaces', actions: ['read'] }, 'userName'],
    [{ userName: '', actions: ['read'] }, 'userName'],
    [{ userName: 'a', actions: [] }, 'actions'],
    [{ userName: 'a', actions: ['rule'] }, 'actions[0]'],
    [{ userName: 'a', actions: ['read'], clusters: [] }, 'clusters'],
    [{ userName: 'a', actions: ['read'], clusters: ['default', 'no spaces'] }, 'clusters[1]'],
  ])('is not made from %o', async (input, field) => {
    await using world = await startWorld();
    await expect(world.call('CreateAccessKey', input)).rejects.toMatchObject({
      code: 'InvalidParameterException',
      field,
    });
    expect((await world.call('ListAccessKeys', {})).accessKeys).toEqual([]);
  });
});

describe('a join token made over the API', () => {
  it('admits one host for an hour unless told otherwise', async () => {
    await using world = await startWorld();
    const { joinToken, expiresAt } = await world.call('CreateJoinToken', {});
    expect(expiresAt.getTime()).toBe(world.now() + 3_600_000);
    await world.host({ token: joinToken, name: 'a' });
    await expect(world.host({ token: joinToken, name: 'b' })).rejects.toMatchObject({ status: 403 });
    const brief = await world.call('CreateJoinToken', { reusable: true, lifetimeSeconds: 60 });
    await world.host({ token: brief.joinToken, name: 'b' });
    world.advance(60);
    await expect(world.host({ token: brief.joinToken, name: 'c' })).rejects.toMatchObject({ status: 403 });
    await expect(world.call('CreateJoinToken', { lifetimeSeconds: 0 })).rejects.toMatchObject({
      field: 'lifetimeSeconds',
    });
    await expect(world.call('CreateJoinToken', { cluster: 'nowhere' })).rejects.toMatchObject({
      code: 'ClusterNotFoundException',
    });
  });
});

describe('AdmitInstances', () => {
  it.each([
    [[], 'instanceIds'],
    [['i-0123456789abcdef0', 'i-1'], 'instanceIds[1]'],
    [Array.from({ length: 101 }, () => 'i-0123456789abcdef0'), 'instanceIds'],
  ])('refuses what is no instance: %#', async (instanceIds, field) => {
    await using world = await startWorld();
    await expect(world.call('AdmitInstances', { instanceIds })).rejects.toMatchObject({ field });
  });
});

describe('a secret box', () => {
  it('opens what it sealed for the same owner, and nothing that was changed', () => {
    const box = createSecretBox(randomBytes(32));
    const sealed = box.seal('a secret – with 🔑', 'owner');
    expect(box.open(sealed, 'owner')).toBe('a secret – with 🔑');
    expect(box.seal('a secret', 'owner')).not.toBe(box.seal('a secret', 'owner'));
    expect(() => box.open(sealed, 'another')).toThrow();
    expect(() => createSecretBox(randomBytes(32)).open(sealed, 'owner')).toThrow();
    const bytes = Buffer.from(sealed.slice(3), 'base64url');
    for (const at of [0, 14, bytes.length - 1]) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(() => box.open(`v1.${changed.toString('base64url')}`, 'owner')).toThrow();
    }
    expect(() => box.open(`v1.${bytes.subarray(0, 20).toString('base64url')}`, 'owner')).toThrow();
    expect(() => box.open(`v2.${sealed.slice(3)}`, 'owner')).toThrow('v2');
    expect(() => createSecretBox(randomBytes(16))).toThrow('32 bytes');
  });

  it('has a data key that is made once, and stored as it was encrypted', async () => {
    await using world = await startWorld();
    expect(await getDataKey(world.table)).toBeUndefined();
    const dataKey = { ciphertext: 'AQID', keyArn: 'arn:aws:kms:us-east-1:000000000000:key/1', createdAt: 1 };
    expect((await world.table.commit([addDataKey(dataKey)])).outcome).toBe('done');
    expect((await world.table.commit([addDataKey({ ...dataKey, ciphertext: 'BAUG' })])).outcome).toBe('refused');
    expect(await getDataKey(world.table)).toEqual(dataKey);
  });
});
