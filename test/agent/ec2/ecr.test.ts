/** Credentials for Amazon ECR by the instance's role: how they are asked for, how long they are kept, and why there may be none. */
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { ecrCredentials } from '../../../agent/ec2/ecr.ts';
import { openMetadata } from '../../../agent/ec2/metadata.ts';
import { openRole } from '../../../agent/ec2/role.ts';
import { ecrDenial, startFakeEcr } from '../../support/fake-ecr.ts';
import { startFakeMetadata } from '../../support/fake-metadata.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const registry = '123456789012.dkr.ecr.eu-west-1.amazonaws.com';
const hour = 3_600_000;

async function open() {
  const stack = new AsyncDisposableStack();
  const metadata = stack.use(await startFakeMetadata());
  const ecr = stack.use(await startFakeEcr());
  const clock = new ManualClock();
  ecr.expiresAt = clock.now() + 12 * hour;
  const role = openRole(openMetadata(metadata.url), { clock, log: pino({ level: 'silent' }) });
  return {
    metadata,
    ecr,
    clock,
    credentials: ecrCredentials(role, { endpoint: ecr.url, clock }),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

test('are asked for with a signed request to the region of the registry', async () => {
  await using world = await open();
  expect(await world.credentials(registry)).toEqual({ username: 'AWS', password: 'secret' });
  const [request] = world.ecr.requests;
  expect(request?.body).toBe('{}');
  expect(request?.headers).toMatchObject({
    'x-amz-target': 'AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken',
    'content-type': 'application/x-amz-json-1.1',
    'x-amz-security-token': 'session token',
    authorization: expect.stringMatching(
      /Credential=ASIATESTKEY\/\d{8}\/eu-west-1\/ecr\/aws4_request, SignedHeaders=.*host;/,
    ),
  });
});

test('are none for other registries, and nobody is asked', async () => {
  await using world = await open();
  for (const other of ['docker.io', 'public.ecr.aws', '127.0.0.1:5000'])
    expect(await world.credentials(other)).toBeUndefined();
  expect(world.ecr.requests).toEqual([]);
});

test('are shared by all registries of a region until shortly before their end', async () => {
  await using world = await open();
  const { credentials, ecr, clock } = world;
  const neighbour = registry.replace(/^\d+/, '999999999999');
  await Promise.all([credentials(registry), credentials(registry), credentials(neighbour)]);
  await clock.advance(11.4 * hour);
  await credentials(registry);
  expect(ecr.requests).toHaveLength(1);
  await credentials(registry.replace('eu-west-1', 'eu-west-2'));
  expect(ecr.requests, 'another region').toHaveLength(2);
  ecr.password = 'newer';
  ecr.expiresAt = clock.now() + 12 * hour;
  await clock.advance(0.2 * hour);
  expect(await credentials(registry)).toEqual({ username: 'AWS', password: 'newer' });
  expect(ecr.requests).toHaveLength(3);
});

test('are used to their end where newer ones cannot be had', async () => {
  await using world = await open();
  const { credentials, ecr, clock } = world;
  await credentials(registry);
  ecr.refusal = { status: 500, body: { __type: 'ServerException' } };
  await clock.advance(11.9 * hour);
  expect(await credentials(registry)).toEqual({ username: 'AWS', password: 'secret' });
  await clock.advance(0.2 * hour);
  await expect(credentials(registry)).rejects.toMatchObject({
    retryable: true,
    message: expect.stringContaining('ecr:GetAuthorizationToken was answered with HTTP status 500 (ServerException'),
  });
});

test('are refused to a role that may not ask, with its name and what it lacks; and had once it may', async () => {
  await using world = await open();
  world.ecr.refusal = ecrDenial;
  await expect(world.credentials(registry)).rejects.toMatchObject({
    retryable: false,
    message:
      "the host's role gantry-host may not call ecr:GetAuthorizationToken (it says: AccessDeniedException: " +
      'User: arn:aws:sts::123456789012:assumed-role/gantry-host/i-0123456789abcdef0 is not authorized). Allow the role ' +
      'ecr:GetAuthorizationToken on "*", and ecr:BatchGetImage and ecr:GetDownloadUrlForLayer on the repository',
  });
  world.ecr.refusal = undefined;
  expect(await world.credentials(registry)).toBeDefined();
});

test('cannot be had without a role, or without an answer', async () => {
  await using world = await open();
  world.metadata.items.delete('iam/security-credentials/');
  await expect(world.credentials(registry)).rejects.toMatchObject({
    retryable: true,
    message: expect.stringContaining('This instance has no role (no instance profile).'),
  });
  world.metadata.items.set('iam/security-credentials/', 'gantry-host');
  await world.ecr[Symbol.asyncDispose]();
  await expect(world.credentials(registry)).rejects.toMatchObject({
    retryable: true,
    message: expect.stringContaining('which gives credentials for it, does not answer (i/o timeout)'),
  });
});
