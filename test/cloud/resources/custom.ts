/** Custom resources: calls the function behind the service token as CloudFormation does, and waits for what it puts at the ResponseURL. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import type { Made, Reader, Wanted } from './reader.ts';

const responseSchema = z.object({
  Status: z.enum(['SUCCESS', 'FAILED']),
  Reason: z.string().optional(),
  PhysicalResourceId: z.string(),
  StackId: z.string(),
  RequestId: z.string(),
  LogicalResourceId: z.string(),
  NoEcho: z.boolean().optional(),
  Data: z.record(z.string(), z.unknown()).optional(),
});

type RequestType = 'Create' | 'Update' | 'Delete';

export const customResource: Reader = async (wanted) => {
  const { former, properties } = wanted;
  if (former !== undefined && isDeepStrictEqual(former.properties, properties)) return former;
  const made = await request(wanted, former === undefined ? 'Create' : 'Update', former);
  if (former !== undefined && former.id !== made.id)
    await request({ ...wanted, properties: former.properties }, 'Delete', former);
  return made;
};

async function request(wanted: Wanted, RequestType: RequestType, former: Wanted['former']): Promise<Made> {
  const { world, logicalId, type, properties } = wanted;
  const { ServiceToken, ...given } = properties;
  const stackId = world.arn('cloudformation', `stack/${world.options.stackName}/loopback`);
  const asText = (value: unknown): Record<string, unknown> => Object(world.localized(stringified(value)));
  await using answer = await responseUrl();
  const outcome = await world.functionOf(String(ServiceToken)).invoke({
    RequestType,
    ServiceToken,
    ResponseURL: answer.url,
    StackId: stackId,
    RequestId: randomUUID(),
    LogicalResourceId: logicalId,
    ResourceType: type,
    ...(former !== undefined && { PhysicalResourceId: former.id }),
    ResourceProperties: asText({ ServiceToken, ...given }),
    ...(RequestType === 'Update' && { OldResourceProperties: asText(former?.properties) }),
  });
  const response = answer.body();
  if (response === undefined) throw new Error(`${logicalId}: no answer at the ResponseURL: ${JSON.stringify(outcome)}`);
  const { Status, Reason, PhysicalResourceId, Data = {} } = responseSchema.parse(JSON.parse(response));
  if (Status === 'FAILED') throw new Error(`${logicalId} (${type}) ${RequestType} failed: ${Reason}`);
  const made: Made = { id: PhysicalResourceId, attributes: Data };
  return { ...made, remove: async () => void (await request(wanted, 'Delete', { ...made, properties })) };
}

/** CloudFormation hands numbers and booleans on as text. */
function stringified(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(stringified);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, stringified(one)]));
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : value;
}

/** A presigned URL that takes one PUT. */
async function responseUrl() {
  let body: string | undefined;
  const server = createServer((incoming, response) => {
    text(incoming).then(
      (content) => {
        body = content;
        response.end();
      },
      () => response.destroy(),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/response?signature=loopback`,
    body: () => body,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
