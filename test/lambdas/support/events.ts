/** What the functions are called with: events of the HTTP API, of the table's stream and of CloudFormation, and Lambda's context. */
import { Sha256 } from '@smithy/core/checksum';
import { SignatureV4 } from '@smithy/signature-v4';
import { itemAttributes } from '../../../control/store/attribute-values.ts';
import type { Item } from '../../../control/store/table.ts';
import type { HttpEvent } from '../../../lambdas/http.ts';
import type { Context } from '../../../lambdas/log.ts';
import { type EventContext, httpEvent } from '../../cloud/gateway/http-event.ts';

export const lambdaContext = (remainingMs = 60_000): Context => ({
  awsRequestId: 'request-1',
  functionName: 'test',
  functionVersion: '$LATEST',
  invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:test',
  memoryLimitInMB: '256',
  tenantId: undefined,
  getRemainingTimeInMillis: () => remainingMs,
});

const apiContext: EventContext = {
  accountId: '000000000000',
  apiId: 'api1',
  stage: '$default',
  routeKey: '$default',
  pathParameters: {},
};

export const iamCaller = {
  accessKey: 'ASIAEXAMPLE',
  accountId: '000000000000',
  callerId: 'AROAEXAMPLE:me',
  userArn: 'arn:aws:sts::000000000000:assumed-role/deployer/me',
  userId: 'AROAEXAMPLE:me',
};

interface Sent {
  readonly method: string;
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly iam?: typeof iamCaller | undefined;
}

/** As the gateway hands it on. */
export function restEvent({ method, target, headers = {}, body = '', iam }: Sent): HttpEvent {
  const host = 'api1.execute-api.us-east-1.amazonaws.com';
  const request = { method, target, headers: { host, ...headers }, body: Buffer.from(body), sourceIp: '127.0.0.1' };
  return httpEvent(request, { ...apiContext, iam }) as HttpEvent;
}

export interface WireOptions {
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly body: object;
  readonly now: number;
  /** Headers as the front makes of them what the client signed. */
  readonly front?: (signed: Record<string, string>) => Record<string, string>;
}

const clientHost = 'd111.cloudfront.net';

/** What CloudFront's function does before the gateway sees it. */
export const throughCloudFront = ({ host = '', 'x-amz-target': target = '', ...others }: Record<string, string>) => ({
  ...others,
  'x-gantry-amz-target': target,
  'x-gantry-host': host,
});

/** A call of the ECS wire protocol, signed as AWS' clients sign it. */
export async function wireEvent(operation: string, options: WireOptions): Promise<HttpEvent> {
  const { credentials, body, now, front = throughCloudFront } = options;
  const text = JSON.stringify(body);
  const signer = new SignatureV4({ credentials, region: 'us-east-1', service: 'ecs', sha256: Sha256 });
  const { headers } = await signer.sign(
    {
      method: 'POST',
      protocol: 'https:',
      hostname: clientHost,
      path: '/',
      headers: {
        host: clientHost,
        'content-type': 'application/x-amz-json-1.1',
        'content-length': `${Buffer.byteLength(text)}`,
        'x-amz-target': `AmazonEC2ContainerServiceV20141113.${operation}`,
      },
      body: text,
    },
    { signingDate: new Date(now) },
  );
  return restEvent({ method: 'POST', target: '/', headers: front(headers), body: text });
}

interface Images {
  readonly before?: Item | undefined;
  readonly after?: Item | undefined;
}

/** A batch of the table's stream, in order; sequence numbers begin at 1. */
export const streamEvent = (changes: readonly Images[]): { readonly Records: readonly object[] } => ({
  Records: changes.map(({ before, after }, index) => ({
    eventID: `event-${index + 1}`,
    eventName: before === undefined ? 'INSERT' : after === undefined ? 'REMOVE' : 'MODIFY',
    eventSource: 'aws:dynamodb',
    awsRegion: 'us-east-1',
    dynamodb: {
      ApproximateCreationDateTime: 4102444800,
      SequenceNumber: `${index + 1}`,
      StreamViewType: 'NEW_AND_OLD_IMAGES',
      ...(before !== undefined && { OldImage: itemAttributes(before) }),
      ...(after !== undefined && { NewImage: itemAttributes(after) }),
    },
  })),
});

/** One that nobody can read, in the place of the record of this sequence number. */
export const poisoned = (batch: ReturnType<typeof streamEvent>, sequenceNumber: number): typeof batch => ({
  Records: batch.Records.map((record, index) =>
    index + 1 === sequenceNumber
      ? { eventName: 'MODIFY', dynamodb: { SequenceNumber: `${sequenceNumber}`, NewImage: { pk: { B: 'AAAA' } } } }
      : record,
  ),
});
