/** What an agent learns of its instance, from a metadata service that boots late, forgets tokens and has outages. */
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { readInstance } from '../../../agent/ec2/instance.ts';
import { openMetadata } from '../../../agent/ec2/metadata.ts';
import { fakeInstance, startFakeMetadata } from '../../support/fake-metadata.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const log = pino({ level: 'silent' });

test('items are read with a session token, which is kept, and renewed where it is refused', async () => {
  await using service = await startFakeMetadata();
  const metadata = openMetadata(service.url);
  expect(await metadata.read('instance-id')).toBe('i-0123456789abcdef0');
  expect(await metadata.read('ami-id')).toBe('ami-0123456789abcdef0');
  service.forgetTokens();
  expect(await metadata.read('ami-id')).toBe('ami-0123456789abcdef0');
  const tokenRequest = 'PUT /latest/api/token';
  expect(service.requests.filter((request) => request === tokenRequest)).toHaveLength(2);
  expect(service.requests[0]).toBe(tokenRequest);
});

test('what is not there is told from what cannot be had', async () => {
  await using service = await startFakeMetadata();
  const metadata = openMetadata(service.url);
  expect(await metadata.read('spot/instance-action')).toBeUndefined();
  service.outage = 503;
  await expect(metadata.read('ami-id')).rejects.toThrow('Instance metadata answers HTTP status 503 for ami-id.');
  const nowhere = openMetadata('http://127.0.0.1:9');
  await expect(nowhere.read('ami-id')).rejects.toThrow('Instance metadata at http://127.0.0.1:9 does not answer.');
});

test('while the instance boots it is asked again, ever more seldom', async () => {
  await using service = await startFakeMetadata();
  service.outage = 503;
  const clock = new ManualClock();
  const read = readInstance(openMetadata(service.url), { clock, random: () => 0, log }, new AbortController().signal);
  for (const pause of [125, 250, 500]) {
    await clock.untilSleeping(pause);
    await clock.advance(pause);
  }
  service.outage = undefined;
  service.items.delete('local-ipv4'); // The network comes after the service.
  await clock.untilSleeping(1000);
  await clock.advance(1000);
  await clock.untilSleeping(2000);
  service.items.set('local-ipv4', fakeInstance['local-ipv4']);
  await clock.advance(2000);
  expect(await read).toEqual({
    instanceId: 'i-0123456789abcdef0',
    address: '10.1.2.3',
    instanceType: 'm7g.large',
    availabilityZone: 'eu-central-1b',
    region: 'eu-central-1',
    amiId: 'ami-0123456789abcdef0',
  });
});

test('waiting for it ends with the agent', async () => {
  const end = new AbortController();
  const clock = new ManualClock();
  const read = readInstance(openMetadata('http://127.0.0.1:9'), { clock, random: () => 0, log }, end.signal);
  await clock.untilSleeping(125);
  end.abort();
  expect(await read).toBeUndefined();
});
