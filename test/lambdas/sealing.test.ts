import { once } from 'node:events';
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { openSecretBox } from '../../lambdas/sealing.ts';
import { startWorld, type World } from '../control/support/world.ts';

const keyArn = 'arn:aws:kms:us-east-1:000000000000:key/1';
const callSchema = z.object({
  KeyId: z.string(),
  EncryptionContext: z.record(z.string(), z.string()),
  CiphertextBlob: z.string().optional(),
});

/** KMS for these two calls: a ciphertext is the key itself beside what it is bound to. */
const calls: string[] = [];
const server = createServer((request, response) => {
  const operation = String(request.headers['x-amz-target']).split('.')[1] ?? '';
  calls.push(operation);
  json(request).then(
    (body) => {
      const { KeyId, EncryptionContext, CiphertextBlob } = callSchema.parse(body);
      const bound = JSON.stringify([KeyId, EncryptionContext]);
      const sealed = CiphertextBlob === undefined ? undefined : Buffer.from(CiphertextBlob, 'base64').toString();
      const key = sealed?.split('\n')[1] ?? Buffer.alloc(32, calls.length).toString('base64');
      const isRight = sealed === undefined || sealed.startsWith(`${bound}\n`);
      response.writeHead(isRight ? 200 : 400, { 'content-type': 'application/x-amz-json-1.1' });
      const answer = { KeyId, Plaintext: key, CiphertextBlob: Buffer.from(`${bound}\n${key}`).toString('base64') };
      response.end(JSON.stringify(isRight ? answer : { __type: 'InvalidCiphertextException' }));
    },
    () => response.destroy(),
  );
});

let world: World;
beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  vi.stubEnv('AWS_ENDPOINT_URL_KMS', `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`);
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
});
afterAll(() => {
  vi.unstubAllEnvs();
  server.closeAllConnections();
  server.close();
});
beforeEach(async () => {
  calls.length = 0;
  world = await startWorld();
});
afterEach(() => world[Symbol.asyncDispose]());

const open = () => openSecretBox(world.control.deps, { keyArn, region: 'us-east-1' });

describe("the store's data key", () => {
  it('is made once, and opened by every later start', async () => {
    const first = await open();
    const second = await open();
    expect(second.open(first.seal('secret', 'owner'), 'owner')).toBe('secret');
    expect(calls).toEqual(['GenerateDataKey', 'Decrypt']);
  });

  it('is the same for all who start at once', async () => {
    const [one, two, three] = await Promise.all([open(), open(), open()]);
    const sealed = one.seal('secret', 'owner');
    expect([two, three].map((box) => box.open(sealed, 'owner'))).toEqual(['secret', 'secret']);
  });

  it('stays the one that it is under another key of KMS', async () => {
    const first = await open();
    const other = await openSecretBox(world.control.deps, { keyArn: `${keyArn}2`, region: 'us-east-1' });
    expect(other.open(first.seal('secret', 'owner'), 'owner')).toBe('secret');
  });
});
