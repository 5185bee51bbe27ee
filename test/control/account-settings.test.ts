import { describe, expect, it } from 'vitest';
import { startWorld, type World } from './support/world.ts';

const caller = 'arn:aws:iam::000000000000:user/test';
const root = 'arn:aws:iam::000000000000:root';
const list = async (world: World, input: object = {}) => {
  const { settings } = await world.call('ListAccountSettings', input);
  return settings.map(({ name, value }) => `${name}=${value}`);
};

describe.each(['sqlite', 'dynamodb'] as const)('account settings over %s', (store) => {
  it("are the principal's own, then the account's, then the usual ones", async () => {
    await using world = await startWorld({ store });
    const name = 'fargateTaskRetirementWaitPeriod';
    const effective = () => list(world, { name, effectiveSettings: true });
    expect(await list(world)).toEqual([]);
    expect(await effective()).toEqual([`${name}=7`]);
    const { setting } = await world.call('PutAccountSettingDefault', { name, value: '0' });
    expect(setting).toMatchObject({ name, value: '0', principalArn: root, type: 'user' });
    expect(setting.effect).toContain('changes nothing');
    expect(await effective()).toEqual([`${name}=0`]);
    expect(await list(world)).toEqual([]);
    expect(await list(world, { principalArn: root })).toEqual([`${name}=0`]);
    await world.call('PutAccountSetting', { name, value: '14' });
    expect(await list(world)).toEqual([`${name}=14`]);
    expect(await effective()).toEqual([`${name}=14`]);
    expect(await list(world, { name, effectiveSettings: true, principalArn: `${caller}2` })).toEqual([`${name}=0`]);
    const deleted = await world.call('DeleteAccountSetting', { name });
    expect(deleted.setting).toMatchObject({ name, value: '0', principalArn: caller });
    expect(await list(world)).toEqual([]);
    expect(await effective()).toEqual([`${name}=0`]);
  });
});

describe('ListAccountSettings', () => {
  it('answers all 11 effective ones, in pages of 10 at most, and by value', async () => {
    await using world = await startWorld();
    const effectiveSettings = true;
    const first = await world.call('ListAccountSettings', { effectiveSettings });
    expect(first.settings).toHaveLength(10);
    const second = await world.call('ListAccountSettings', { effectiveSettings, nextToken: first.nextToken });
    expect(second.settings).toMatchObject([{ name: 'taskLongArnFormat', value: 'enabled', principalArn: caller }]);
    expect(second.nextToken).toBeUndefined();
    for (const { effect } of [...first.settings, ...second.settings]) expect(effect).toMatch(/^[A-Z].*\.$/);
    const name = 'containerInsights';
    expect(await list(world, { name, value: 'disabled', effectiveSettings })).toEqual([`${name}=disabled`]);
    expect(await list(world, { name, value: 'enabled', effectiveSettings })).toEqual([]);
  });

  it.each([
    [{ maxResults: 11 }, 'maxResults'],
    [{ maxResults: 0 }, 'maxResults'],
    [{ value: 'enabled' }, 'value'],
    [{ name: 'colours' }, 'name'],
    [{ name: 'toString' }, 'name'],
    [{ principalArn: 'me' }, 'principalArn'],
    [{ principalArn: 'arn:aws:iam::111111111111:root' }, 'principalArn'],
    [{ nextToken: 'x' }, 'nextToken'],
  ])('refuses %j', async (input, field) => {
    await using world = await startWorld();
    await expect(world.call('ListAccountSettings', input)).rejects.toMatchObject({
      code: 'InvalidParameterException',
      field,
    });
  });
});

describe('PutAccountSetting', () => {
  it.each([
    ['taskLongArnFormat', 'disabled', 'ARNs always have the long format.'],
    ['containerInsights', 'enhanced', 'Container Insights are not collected.'],
    ['guardDutyActivate', 'on', 'The setting is read-only'],
    ['taskLongArnFormat', 'on', 'must be enabled or disabled'],
    ['fargateTaskRetirementWaitPeriod', '3', 'must be 7 or 0 or 14'],
  ])('refuses %s=%s, saying why', async (name, value, why) => {
    await using world = await startWorld();
    const refusal = { code: 'InvalidParameterException', field: 'value', message: expect.stringContaining(why) };
    await expect(world.call('PutAccountSetting', { name, value })).rejects.toMatchObject(refusal);
    await expect(world.call('PutAccountSettingDefault', { name, value })).rejects.toMatchObject(refusal);
    expect(await list(world)).toEqual([]);
  });

  it.each([
    ['taskLongArnFormat', 'enabled'],
    ['containerInsights', 'disabled'],
    ['awsvpcTrunking', 'enabled'],
    ['tagResourceAuthorization', 'on'],
    ['defaultLogDriverMode', 'blocking'],
  ])('keeps %s=%s', async (name, value) => {
    await using world = await startWorld();
    await world.call('PutAccountSetting', { name, value });
    expect(await list(world)).toEqual([`${name}=${value}`]);
  });
});
