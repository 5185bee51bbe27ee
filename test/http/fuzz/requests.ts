/** Requests as arbitraries: an operation with an input, written for one of the two transports, and spoiled in one way or another. */
import fc from 'fast-check';
import { z } from 'zod';
import type { Operation } from '../../../core/api/operation.ts';
import { type OperationName, operations } from '../../../core/api/operations.ts';
import { unwrap } from '../../../core/api/unknown-members.ts';
import { hostile, type Mutation, mutated, mutation, oneIn, type Pool, toJson, valid } from './values.ts';

export interface FuzzRequest {
  readonly operation: OperationName;
  readonly transport: 'wire' | 'rest';
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string;
  /** How its signature is spoiled, if it is. */
  readonly signing: Signing;
}

const signings = ['none', 'other-key', 'early', 'late', 'replayed', 'moved', 'changed-body', 'unknown-key'] as const;
export type Signing = 'right' | (typeof signings)[number];

type Encoding = 'utf-8' | 'utf-16' | 'latin-1' | 'bom' | 'cut' | 'twice' | 'comment' | 'bytes';
const encodings: readonly Encoding[] = ['utf-16', 'latin-1', 'bom', 'cut', 'twice', 'comment', 'bytes'];

const oddHeaders: readonly (readonly [string, string])[] = [
  ['content-type', 'text/plain'],
  ['content-type', 'application/x-www-form-urlencoded'],
  ['content-type', 'multipart/form-data'],
  ['content-encoding', 'gzip'],
  ['content-length', '0'],
  ['content-length', '99999999999999999999'],
  ['transfer-encoding', 'chunked'],
  ['x-amz-target', 'AmazonEC2ContainerServiceV20141113.'],
  ['x-amz-target', 'AmazonEC2ContainerServiceV20141113.__proto__'],
  ['x-amz-target', 'AmazonEC2ContainerServiceV20141113.GetTask'],
  ['x-amz-target', 'DynamoDB_20120810.ListTables'],
  ['x-amz-target', 'x'.repeat(9000)],
  ['x-amz-content-sha256', 'UNSIGNED-PAYLOAD'],
  ['x-amz-security-token', 'token'],
  ['amz-sdk-invocation-id', ''],
  ['amz-sdk-invocation-id', 'x'.repeat(5000)],
  ['amz-sdk-invocation-id', 'é\u00a0'],
  ['x-http-method-override', 'DELETE'],
  ['x-forwarded-host', 'evil.example'],
  ['x-forwarded-for', `${'1.2.3.4, '.repeat(200)}`],
  ['x-original-url', '/healthz'],
  ['user-agent', 'é'.repeat(2000)],
  ['if-none-match', '*'],
  ['range', 'bytes=0-1'],
  ['last-event-id', '\u00ff'],
  ['accept', ''],
  ['traceparent', '00-00000000000000000000000000000000-0000000000000000-00'],
];

interface Draft {
  readonly input: unknown;
  readonly mutations: readonly Mutation[];
  readonly asRest: boolean;
  readonly encoding: Encoding;
  readonly header: readonly [string, string] | undefined;
  readonly signing: Signing;
  readonly spoiledTarget: unknown;
}

export function requests(pool: Pool): fc.Arbitrary<FuzzRequest> {
  const each = (Object.keys(operations) as OperationName[]).map((name) => {
    const operation: Operation = operations[name];
    const draft: fc.Arbitrary<Draft> = fc.record({
      input: fc.oneof({ weight: 12, arbitrary: valid(operation.input, pool) }, { weight: 1, arbitrary: hostile }),
      mutations: fc.oneof(
        { weight: 3, arbitrary: fc.constant([]) },
        { weight: 5, arbitrary: fc.tuple(mutation) },
        { weight: 1, arbitrary: fc.array(mutation, { minLength: 2, maxLength: 4 }) },
      ),
      asRest: operation.wire ? fc.boolean() : fc.constant(true),
      encoding: fc.oneof(
        { weight: 20, arbitrary: fc.constant<Encoding>('utf-8') },
        { weight: 1, arbitrary: fc.constantFrom(...encodings) },
      ),
      header: oneIn(12, fc.constantFrom(...oddHeaders)),
      signing: fc.oneof(
        { weight: 20, arbitrary: fc.constant<Signing>('right') },
        { weight: 1, arbitrary: fc.constantFrom<Signing>(...signings) },
      ),
      spoiledTarget: oneIn(20, hostile),
    });
    return draft.map((made) => requestOf(name, operation, made));
  });
  return fc.oneof(...each);
}

function requestOf(name: OperationName, operation: Operation, draft: Draft): FuzzRequest {
  const input = draft.mutations.reduce<unknown>(mutated, draft.input);
  const { signing, asRest, header } = draft;
  const common = { operation: name, signing };
  const odd = header === undefined ? {} : Object.fromEntries([header]);
  if (!asRest) {
    const target = `AmazonEC2ContainerServiceV20141113.${name}`;
    const headers = { host: 'here', 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target, ...odd };
    const body = encoded(toJson(input), draft.encoding);
    return { ...common, transport: 'wire', method: 'POST', target: '/', headers, body };
  }
  const { method } = operation.rest;
  const { path, rest } = pathOf(operation, input, draft.spoiledTarget);
  const hasBody = method === 'POST' || method === 'PUT';
  const body = hasBody ? encoded(toJson(rest), draft.encoding) : '';
  const target = hasBody ? path : `${path}${queryOf(rest, operation)}`;
  const headers = { host: 'here', ...(hasBody && { 'content-type': 'application/json' }), ...odd };
  return { ...common, transport: 'rest', method, target, headers, body };
}

function pathOf({ rest }: Operation, input: unknown, spoiled: unknown): { path: string; rest: unknown } {
  const members = typeof input === 'object' && input !== null && !Array.isArray(input) ? Object.entries(input) : [];
  const named = new Map<string, unknown>(members);
  const taken = new Set<string>();
  const path = rest.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    taken.add(name);
    const value = spoiled ?? named.get(name) ?? 'default';
    return percent(typeof value === 'string' ? value : toJson(value)) || '%20';
  });
  if (members.length === 0) return { path, rest: input };
  return { path: path.slice(0, 6000), rest: Object.fromEntries(members.filter(([name]) => !taken.has(name))) };
}

/** A lone surrogate cannot be percent-encoded. */
const percent = (text: string): string => encodeURIComponent(text.slice(0, 2000).toWellFormed());

function queryOf(members: unknown, { input }: Operation): string {
  const shape = input instanceof z.ZodObject ? input.shape : {};
  const pairs = Object.entries(Object(members)).flatMap(([name, value]) => {
    const known: unknown = Object.hasOwn(shape, name) ? shape[name] : undefined;
    const isList = known instanceof z.ZodType && unwrap(known) instanceof z.ZodArray && Array.isArray(value);
    const values: readonly unknown[] = isList ? value.slice(0, 300) : [value];
    return values.map((one) => `${percent(name)}=${percent(typeof one === 'string' ? one : toJson(one))}`);
  });
  return pairs.length === 0 ? '' : `?${pairs.slice(0, 400).join('&')}`;
}

function encoded(json: string, encoding: Encoding): Uint8Array | string {
  switch (encoding) {
    case 'utf-16':
      return Buffer.from(json, 'utf16le');
    case 'latin-1':
      return Buffer.from(`${json.slice(0, -1)}\u00ff${json.slice(-1)}`, 'latin1');
    case 'bom':
      return `\ufeff${json}`;
    case 'cut':
      return json.slice(0, Math.floor(json.length / 2));
    case 'twice':
      return json + json;
    case 'comment':
      return `${json} // and more`;
    case 'bytes':
      return Uint8Array.from([0x7b, 0x22, 0xc0, 0x80, 0xff, 0x22, 0x7d]);
    case 'utf-8':
      return json;
  }
}
