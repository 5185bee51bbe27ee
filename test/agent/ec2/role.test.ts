/** The instance's role as an agent uses it: when credentials are asked for, and what a proof made with them holds. */
import { createHash } from 'node:crypto';
import { Sha256 } from '@smithy/core/checksum';
import { SignatureV4 } from '@smithy/signature-v4';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { openMetadata } from '../../../agent/ec2/metadata.ts';
import { proveInstance } from '../../../agent/ec2/proof.ts';
import { openRole } from '../../../agent/ec2/role.ts';
import { instanceProof, instanceProofSchema } from '../../../core/instance-proof.ts';
import { fakeRole, roleCredentials, startFakeMetadata } from '../../support/fake-metadata.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const credentialsItem = `iam/security-credentials/${fakeRole.name}`;
const minute = 60_000;

async function open() {
  const service = await startFakeMetadata();
  const clock = new ManualClock();
  const role = openRole(openMetadata(service.url), { clock, log: pino({ level: 'silent' }) });
  return {
    service,
    clock,
    role,
    prove: async (publicKey = 'key') => (await proveInstance(role, 'eu-central-1', publicKey)).headers,
    asked: () => service.requests.filter((request) => request.endsWith(credentialsItem)).length,
    [Symbol.asyncDispose]: () => service[Symbol.asyncDispose](),
  };
}

/** Signs the request of a proof again, over the headers that it says are signed. */
async function signedAgain(headers: Readonly<Record<string, string>>): Promise<string | undefined> {
  const { authorization = '', ...rest } = headers;
  const names = /SignedHeaders=([^,]+)/.exec(authorization)?.[1]?.split(';') ?? [];
  const at = (headers['x-amz-date'] ?? '').replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z');
  const { accessKeyId, secretAccessKey } = fakeRole;
  const sessionToken = headers['x-amz-security-token'] ?? '';
  const signer = new SignatureV4({
    credentials: { accessKeyId, secretAccessKey, sessionToken },
    region: 'eu-central-1',
    service: instanceProof.service,
    sha256: Sha256,
    applyChecksum: false,
  });
  const signed = await signer.sign(
    {
      method: instanceProof.method,
      protocol: 'https:',
      hostname: headers.host ?? '',
      path: instanceProof.path,
      headers: Object.fromEntries(Object.entries(rest).filter(([name]) => names.includes(name))),
      body: instanceProof.body,
    },
    { signingDate: new Date(at) },
  );
  return signed.headers.authorization;
}

test('a proof is a signed request to the STS of the region that names the key, and nothing in it is unsigned', async () => {
  await using world = await open();
  const headers = await world.prove('the public key');
  expect(instanceProofSchema.parse({ headers })).toEqual({ headers });
  expect(headers).toMatchObject({
    host: 'sts.eu-central-1.amazonaws.com',
    'content-type': instanceProof.contentType,
    'x-amz-security-token': 'session token',
    'x-gantry-host-key': createHash('sha256').update('the public key').digest('hex'),
  });
  const signedNames = /SignedHeaders=([^,]+)/.exec(headers.authorization ?? '')?.[1];
  expect(signedNames?.split(';')).toEqual([...instanceProof.signedHeaders].toSorted());
  expect(Object.keys(headers).toSorted()).toEqual(['authorization', ...instanceProof.signedHeaders].toSorted());
  expect(await signedAgain(headers)).toBe(headers.authorization);
  expect(await signedAgain({ ...headers, 'x-gantry-host-key': '0'.repeat(64) })).not.toBe(headers.authorization);
});

test('each proof has the time of its making', async () => {
  await using world = await open();
  const first = await world.prove();
  await world.clock.advance(10 * minute);
  const second = await world.prove();
  expect(second['x-amz-date']).not.toBe(first['x-amz-date']);
});

test('credentials are asked for once, by whoever comes first, and again shortly before their end', async () => {
  await using world = await open();
  const { service, clock, prove } = world;
  service.items.set(credentialsItem, roleCredentials(clock.now() + 60 * minute, 'first'));
  await Promise.all([prove(), prove(), prove()]);
  await clock.advance(54 * minute);
  expect((await prove())['x-amz-security-token']).toBe('first');
  expect(world.asked()).toBe(1);
  service.items.set(credentialsItem, roleCredentials(clock.now() + 360 * minute, 'second'));
  await clock.advance(2 * minute);
  expect((await prove())['x-amz-security-token']).toBe('second');
  expect(world.asked()).toBe(2);
});

test('in an outage of metadata the old credentials are used on, and newer ones asked for now and then', async () => {
  await using world = await open();
  const { service, clock, prove } = world;
  service.items.set(credentialsItem, roleCredentials(clock.now() + 60 * minute, 'old'));
  await prove();
  service.outage = 503;
  await clock.advance(56 * minute);
  expect((await prove())['x-amz-security-token']).toBe('old');
  const requests = service.requests.length;
  expect((await prove())['x-amz-security-token'], 'at once').toBe('old');
  expect(service.requests).toHaveLength(requests);
  service.outage = undefined;
  service.items.set(credentialsItem, roleCredentials(clock.now() + 360 * minute, 'new'));
  await clock.advance(2 * minute);
  expect((await prove())['x-amz-security-token']).toBe('new');
});

test.each<[string, (items: Map<string, string>) => void, string]>([
  ['no role', (items) => items.delete('iam/security-credentials/'), 'This instance has no role (no instance profile).'],
  [
    'a role without credentials',
    (items) => items.set(credentialsItem, '{"Code":"AssumeRoleUnauthorizedAccess"}'),
    'Instance metadata has no credentials of the role gantry-host now.',
  ],
])('an instance with %s says so, and looks again the next time', async (_, change, sentence) => {
  await using world = await open();
  const items = new Map(world.service.items);
  change(world.service.items);
  await expect(world.prove()).rejects.toThrow(sentence);
  for (const [name, value] of items) world.service.items.set(name, value);
  expect(await world.prove()).toHaveProperty('authorization');
});
