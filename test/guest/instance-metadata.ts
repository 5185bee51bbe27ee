/**
 * EC2's instance metadata service on loopback, version 2 alone: session tokens, the tree of items with its listings, user data, the
 * identity document, the role's credentials, and the notices that are there only when something is about to happen.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { network, subnetOf } from './network.ts';

interface RoleCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

export interface InstanceFacts {
  readonly instanceId: string;
  readonly amiId: string;
  readonly instanceType: string;
  readonly lifeCycle: 'on-demand' | 'spot';
  readonly privateIp: string;
  readonly availabilityZone: string;
  readonly region: string;
  readonly accountId: string;
  readonly userData: string;
  /** Those that it shows. */
  readonly tags: Readonly<Record<string, string>>;
  readonly role: { readonly name: string; readonly credentials: RoleCredentials };
}

export interface MetadataStandIn extends AsyncDisposable {
  readonly port: number;
  /** Items that were read, in order, each as a path below the version. */
  readonly read: readonly string[];
  /** When EC2 takes the instance back, or advises to leave it; absent: there is no such item. */
  notices: { spotAction?: { action: 'terminate' | 'stop'; time: string }; rebalanceAt?: string };
}

const credentialsLastMs = 6 * 3600_000;

export async function startInstanceMetadata(facts: InstanceFacts): Promise<MetadataStandIn> {
  const tokens = new Map<string, number>();
  const read: string[] = [];
  const started = new Date();

  const server = createServer((request, response) => {
    const { status, body = '', headers = {} } = answer(request);
    response.writeHead(status, { 'content-type': 'text/plain', ...headers }).end(body);
  });

  function answer(request: IncomingMessage): Answer {
    if (request.method === 'PUT' && request.url === '/latest/api/token') return issueToken(tokens, request);
    if (request.method !== 'GET') return { status: 405 };
    const token = String(request.headers['x-aws-ec2-metadata-token']);
    if ((tokens.get(token) ?? 0) < Date.now()) return { status: 401 };
    const [, path] = /^\/(?:latest|\d{4}-\d\d-\d\d)\/(.*)$/.exec(request.url ?? '') ?? [];
    if (path === undefined) return { status: 404 };
    read.push(path);
    const body = itemOrListing(items(facts, standIn.notices, started), path);
    return body === undefined ? { status: 404 } : { status: 200, body };
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const standIn: MetadataStandIn = {
    port: (server.address() as AddressInfo).port,
    read,
    notices: {},
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return standIn;
}

interface Answer {
  readonly status: number;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

function issueToken(tokens: Map<string, number>, { headers }: IncomingMessage): Answer {
  // What came by a proxy is refused: a server that can be made to fetch an address is one.
  if (headers['x-forwarded-for'] !== undefined) return { status: 403 };
  const seconds = Number(headers['x-aws-ec2-metadata-token-ttl-seconds']);
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > 21_600) return { status: 400 };
  const body = randomBytes(32).toString('base64url');
  tokens.set(body, Date.now() + seconds * 1000);
  return { status: 200, body, headers: { 'x-aws-ec2-metadata-token-ttl-seconds': `${seconds}` } };
}

function items(facts: InstanceFacts, notices: MetadataStandIn['notices'], started: Date): Record<string, string> {
  const { spotAction, rebalanceAt } = notices;
  return {
    'user-data': facts.userData,
    'meta-data/ami-id': facts.amiId,
    'meta-data/instance-id': facts.instanceId,
    'meta-data/instance-type': facts.instanceType,
    'meta-data/instance-life-cycle': facts.lifeCycle,
    'meta-data/local-ipv4': facts.privateIp,
    'meta-data/local-hostname': `ip-${facts.privateIp.replaceAll('.', '-')}.ec2.internal`,
    'meta-data/placement/availability-zone': facts.availabilityZone,
    'meta-data/placement/region': facts.region,
    'meta-data/mac': network.interface.mac,
    [`meta-data/network/interfaces/macs/${network.interface.mac}/device-number`]: '0',
    [`meta-data/network/interfaces/macs/${network.interface.mac}/local-ipv4s`]: facts.privateIp,
    [`meta-data/network/interfaces/macs/${network.interface.mac}/subnet-ipv4-cidr-block`]: subnetOf(facts.privateIp)
      .cidr,
    ...Object.fromEntries(Object.entries(facts.tags).map(([key, value]) => [`meta-data/tags/instance/${key}`, value])),
    [`meta-data/iam/security-credentials/${facts.role.name}`]: credentials(facts.role.credentials, started),
    'dynamic/instance-identity/document': identityDocument(facts, started),
    ...(spotAction && { 'meta-data/spot/instance-action': JSON.stringify(spotAction) }),
    ...(rebalanceAt && { 'meta-data/events/recommendations/rebalance': JSON.stringify({ noticeTime: rebalanceAt }) }),
  };
}

const credentials = ({ accessKeyId, secretAccessKey, sessionToken }: RoleCredentials, started: Date): string =>
  JSON.stringify(
    {
      Code: 'Success',
      LastUpdated: started.toISOString(),
      Type: 'AWS-HMAC',
      AccessKeyId: accessKeyId,
      SecretAccessKey: secretAccessKey,
      Token: sessionToken,
      Expiration: new Date(started.getTime() + credentialsLastMs).toISOString(),
    },
    undefined,
    2,
  );

const identityDocument = (facts: InstanceFacts, started: Date): string =>
  JSON.stringify(
    {
      accountId: facts.accountId,
      architecture: 'x86_64',
      availabilityZone: facts.availabilityZone,
      imageId: facts.amiId,
      instanceId: facts.instanceId,
      instanceType: facts.instanceType,
      pendingTime: started.toISOString(),
      privateIp: facts.privateIp,
      region: facts.region,
      version: '2017-09-30',
    },
    undefined,
    2,
  );

/** A path that others lie below is a listing: the next part of each, with a slash where it goes on. */
function itemOrListing(all: Record<string, string>, path: string): string | undefined {
  const name = path.replace(/\/$/, '');
  if (name in all) return all[name];
  const below = Object.keys(all).filter((item) => item.startsWith(`${name}/`));
  if (below.length === 0) return undefined;
  const entries = below.map((item) => item.slice(name.length + 1).replace(/\/.*$/, '/'));
  return [...new Set(entries)].join('\n');
}
