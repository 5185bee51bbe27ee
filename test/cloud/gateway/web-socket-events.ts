/** The events of a WebSocket API: `$connect` with the dial's headers as they were written, `$disconnect`, and messages. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

export interface ConnectionInfo {
  readonly connectionId: string;
  readonly connectedAt: number;
  readonly sourceIp: string;
}

interface Api {
  readonly apiId: string;
  readonly stage: string;
  readonly region: string;
}

function requestContext(info: ConnectionInfo, api: Api, more: object): object {
  const now = Date.now();
  return {
    extendedRequestId: randomUUID().slice(0, 16),
    requestTime: new Date(now).toUTCString(),
    messageDirection: 'IN',
    stage: api.stage,
    connectedAt: info.connectedAt,
    requestTimeEpoch: now,
    identity: { sourceIp: info.sourceIp },
    requestId: randomUUID(),
    domainName: `${api.apiId}.execute-api.${api.region}.amazonaws.com`,
    connectionId: info.connectionId,
    apiId: api.apiId,
    ...more,
  };
}

/** Hop-by-hop headers end at the gateway; the others keep their case, unlike those of an HTTP API. */
const ownHeaders = /^(connection|upgrade)$/i;

export function connectEvent(info: ConnectionInfo, { rawHeaders, url = '' }: IncomingMessage, api: Api): object {
  const headers: Record<string, string> = {};
  const multiValueHeaders: Record<string, string[]> = {};
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const [name = '', value = ''] = rawHeaders.slice(index, index + 2);
    if (ownHeaders.test(name)) continue;
    headers[name] = value;
    multiValueHeaders[name] = [...(multiValueHeaders[name] ?? []), value];
  }
  const query = new URL(url, 'http://gateway').searchParams;
  return {
    headers,
    multiValueHeaders,
    ...(query.size > 0 && {
      queryStringParameters: Object.fromEntries(query),
      multiValueQueryStringParameters: Object.fromEntries([...query.keys()].map((name) => [name, query.getAll(name)])),
    }),
    requestContext: requestContext(info, api, { routeKey: '$connect', eventType: 'CONNECT' }),
    isBase64Encoded: false,
  };
}

export const disconnectEvent = (info: ConnectionInfo, end: { code: number; reason: string }, api: Api): object => ({
  headers: { Host: `${api.apiId}.execute-api.${api.region}.amazonaws.com`, 'x-api-key': '', 'X-Forwarded-For': '' },
  multiValueHeaders: {},
  requestContext: requestContext(info, api, {
    routeKey: '$disconnect',
    eventType: 'DISCONNECT',
    disconnectStatusCode: end.code,
    disconnectReason: end.reason,
  }),
  isBase64Encoded: false,
});

export const messageEvent = (info: ConnectionInfo, body: string, api: Api): object => ({
  requestContext: requestContext(info, api, {
    routeKey: '$default',
    eventType: 'MESSAGE',
    messageId: randomUUID().slice(0, 16),
  }),
  body,
  isBase64Encoded: false,
});
