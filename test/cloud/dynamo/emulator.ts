/** Calls of the platform itself to the DynamoDB emulator: tables and streams, which belong to no function. */
import { z } from 'zod';

export type EmulatorCall = (
  service: 'DynamoDB' | 'DynamoDBStreams',
  operation: string,
  input: object,
) => Promise<Record<string, unknown>>;

/** It wants a signature, and checks none. */
const authorization =
  'AWS4-HMAC-SHA256 Credential=platform/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=00';

export const emulatorCall =
  (endpoint: string): EmulatorCall =>
  async (service, operation, input) => {
    const response = await fetch(endpoint, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': `${service}_20120810.${operation}`,
        'x-amz-date': '20260101T000000Z',
        authorization,
      },
      body: JSON.stringify(input),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${operation} failed: ${text}`);
    return z.record(z.string(), z.unknown()).parse(JSON.parse(text));
  };
