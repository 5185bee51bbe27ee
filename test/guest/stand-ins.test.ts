/** What stands for AWS around the virtual machine refuses what AWS refuses: a host that asks wrongly must not pass there. */
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { connect } from 'node:tls';
import { Sha256 } from '@smithy/core/checksum';
import { SignatureV4 } from '@smithy/signature-v4';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startAwsFront } from './aws-front.ts';
import { makeAuthority } from './certificates.ts';
import { type HostServices, startHostServices } from './host-services.ts';
import { type MetadataStandIn, startInstanceMetadata } from './instance-metadata.ts';

const credentials = { accessKeyId: 'ASIAEXAMPLE', secretAccessKey: 'secret', sessionToken: 'session' };
const region = 'eu-west-1';
const emptySum = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

describe('instance metadata', () => {
  let metadata: MetadataStandIn;
  beforeEach(async () => {
    metadata = await startInstanceMetadata({
      instanceId: 'i-1',
      amiId: 'ami-1',
      instanceType: 't3.small',
      lifeCycle: 'spot',
      privateIp: '10.0.0.1',
      availabilityZone: 'eu-west-1b',
      region,
      accountId: '000000000000',
      userData: '#!/bin/sh',
      tags: { Name: 'one' },
      role: { name: 'hosts', credentials },
    });
  });
  afterEach(() => metadata[Symbol.asyncDispose]());

  const ask = (path: string, options: RequestInit = {}) => fetch(`http://127.0.0.1:${metadata.port}${path}`, options);
  const token = (headers: Record<string, string>) => ask('/latest/api/token', { method: 'PUT', headers });
  const ttl = 'x-aws-ec2-metadata-token-ttl-seconds';
  const status = async (path: string) => (await read(path)).status;

  async function read(path: string): Promise<Response> {
    const session = await (await token({ [ttl]: '60' })).text();
    return ask(path, { headers: { 'x-aws-ec2-metadata-token': session } });
  }

  it('answers nobody without a session token, and gives none to a proxy or without its lifetime', async () => {
    expect((await ask('/latest/meta-data/instance-id')).status).toBe(401);
    expect((await token({ [ttl]: '60', 'x-forwarded-for': '10.0.0.9' })).status).toBe(403);
    expect((await token({})).status).toBe(400);
    expect((await token({ [ttl]: '21601' })).status).toBe(400);
  });

  it('has items and listings of them, under each of its versions', async () => {
    expect(await (await read('/latest/meta-data/placement/availability-zone')).text()).toBe('eu-west-1b');
    expect(await (await read('/2021-03-23/meta-data/iam/security-credentials/')).text()).toBe('hosts');
    expect(await (await read('/latest/meta-data/iam')).text()).toBe('security-credentials/');
    expect(await (await read('/latest/user-data')).text()).toBe('#!/bin/sh');
    expect(await (await read('/latest/dynamic/instance-identity/document')).json()).toMatchObject({
      instanceId: 'i-1',
    });
    const subnet = '/latest/meta-data/network/interfaces/macs/52:54:00:12:34:56/subnet-ipv4-cidr-block';
    expect(await (await read(subnet)).text()).toBe('10.0.0.0/20');
    expect(await (await read('/latest/meta-data/instance-life-cycle')).text()).toBe('spot');
    expect(await status('/latest/meta-data/no-such')).toBe(404);
  });

  it('has a notice only when there is one', async () => {
    expect(await status('/latest/meta-data/spot/instance-action')).toBe(404);
    expect(await status('/latest/meta-data/events/recommendations/rebalance')).toBe(404);
    metadata.notices = { spotAction: { action: 'terminate', time: '2026-01-01T00:00:00Z' } };
    expect(await (await read('/latest/meta-data/spot/instance-action')).json()).toMatchObject({ action: 'terminate' });
    metadata.notices = { rebalanceAt: '2026-01-01T00:00:00Z' };
    expect(await status('/latest/meta-data/events/recommendations/rebalance')).toBe(200);
  });
});

describe('S3 and SSM', () => {
  let services: HostServices;
  let directory: string;
  let allowed: string[];
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'gantry-services-'));
    writeFileSync(join(directory, 'file'), 'content');
    allowed = ['s3:GetObject', 'ssm:GetParameter'];
    services = await startHostServices({
      region,
      credentials,
      bucket: 'assets',
      objects: new Map([['a.gz', join(directory, 'file')]]),
      parameters: new Map([['release', 'a.gz abc']]),
      allows: ({ action }) => allowed.includes(action),
      arn: (service, rest) => `arn:aws:${service}:${region}:000000000000:${rest}`,
    });
  });
  afterEach(async () => {
    await services[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true });
  });

  interface Asked {
    readonly service: 's3' | 'ssm';
    readonly path?: string;
    readonly body?: string;
    readonly headers?: Record<string, string>;
    readonly signer?: { secretAccessKey?: string; region?: string; service?: string };
    /** After it was signed. */
    readonly tampered?: { path?: string; body?: string };
  }

  async function ask({ service, path = '/', body = '', headers = {}, signer, tampered }: Asked) {
    const host = service === 's3' ? `assets.s3.${region}.amazonaws.com` : `ssm.${region}.amazonaws.com`;
    const { secretAccessKey, ...other } = signer ?? {};
    const signing = new SignatureV4({
      region,
      service,
      sha256: Sha256,
      applyChecksum: false,
      uriEscapePath: service !== 's3',
      ...other,
      credentials: secretAccessKey === undefined ? credentials : { ...credentials, secretAccessKey },
    });
    const method = service === 's3' ? 'GET' : 'POST';
    const unsigned = { method, protocol: 'https:', hostname: host, path, headers: { ...headers, host }, body };
    const signed = await signing.sign(unsigned);
    const sent = request({
      port: services.port,
      host: '127.0.0.1',
      method,
      path: tampered?.path ?? path,
      headers: signed.headers,
    });
    sent.end(tampered?.body ?? body);
    const [response] = await once(sent, 'response');
    return { status: response.statusCode, body: await text(response) };
  }

  const object = { service: 's3', path: '/a.gz', headers: { 'x-amz-content-sha256': emptySum } } as const;
  const parameter = {
    service: 'ssm',
    body: '{"Name":"release"}',
    headers: { 'x-amz-target': 'AmazonSSM.GetParameter', 'content-type': 'application/x-amz-json-1.1' },
  } as const;

  it('give the role what it asks for', async () => {
    expect(await ask(object)).toEqual({ status: 200, body: 'content' });
    const { status, body } = await ask(parameter);
    expect([status, JSON.parse(body).Parameter.Value]).toEqual([200, 'a.gz abc']);
  });

  it.each<[string, Asked, number, string]>([
    ['an object without the hash of what is sent', { ...object, headers: {} }, 400, 'InvalidRequest'],
    ['an object by another key', { ...object, signer: { secretAccessKey: 'x' } }, 403, 'SignatureDoesNotMatch'],
    ['an object signed for another service', { ...object, signer: { service: 'ssm' } }, 403, 'SignatureDoesNotMatch'],
    ['an object signed for another region', { ...object, signer: { region: 'us-x' } }, 403, 'SignatureDoesNotMatch'],
    ['another object than was signed', { ...object, tampered: { path: '/b.gz' } }, 403, 'SignatureDoesNotMatch'],
    ['an object that is not there', { ...object, path: '/b.gz' }, 404, 'NoSuchKey'],
    ['another body than was signed', { ...parameter, tampered: { body: '{}' } }, 400, 'IncompleteSignature'],
    ['a parameter that is not there', { ...parameter, body: '{"Name":"x"}' }, 400, 'ParameterNotFound'],
    ['another operation', { ...parameter, headers: { 'x-amz-target': 'x' } }, 400, 'UnknownOperation'],
  ])('refuse %s', async (_, asked, status, code) => {
    expect(await ask(asked)).toEqual({ status, body: expect.stringContaining(code) });
  });

  it('refuse what the role is not allowed to', async () => {
    allowed = [];
    expect(await ask(object)).toMatchObject({ status: 403, body: expect.stringContaining('AccessDenied') });
    expect(await ask(parameter)).toMatchObject({ status: 400, body: expect.stringContaining('AccessDenied') });
  });
});

describe('the front of AWS', () => {
  it('hands each name to its server, with a certificate that only the authority vouches for', async () => {
    await using made = new AsyncDisposableStack();
    const directory = mkdtempSync(join(tmpdir(), 'gantry-front-'));
    made.defer(() => rmSync(directory, { recursive: true, force: true }));
    const authority = makeAuthority(directory);
    const server = createServer((asked, response) => response.end(`for ${asked.headers.host}`)).listen(0, '127.0.0.1');
    made.defer(() => void server.close());
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const front = made.use(await startAwsFront(authority, new Map([['s3.example', port]])));

    async function get(servername: string, ca?: string): Promise<string> {
      const socket = connect({ port: front.port, host: '127.0.0.1', servername, ...(ca !== undefined && { ca }) });
      await once(socket, 'secureConnect');
      socket.write(`GET / HTTP/1.1\r\nhost: ${servername}\r\nconnection: close\r\n\r\n`);
      return text(socket);
    }
    const trusted = readFileSync(authority.certificate, 'utf8');
    expect(await get('s3.example', trusted)).toContain('for s3.example');
    await expect(get('s3.example')).rejects.toThrow(/certificate/);
    await expect(get('other.example', trusted)).rejects.toThrow(/altnames/);
  });
});
