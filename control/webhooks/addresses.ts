/**
 * Which addresses webhooks may be sent to. Held at the moment of the connection, on what the name resolves to then: what a name said
 * before proves nothing. docs/security.md says why.
 */
import { type LookupAddress, lookup as resolve } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { GantryError } from '../../core/errors.ts';

/** `public`: HTTPS to addresses that the whole world reaches. `private`: also HTTP, loopback and private networks. */
export type WebhookAddresses = 'public' | 'private';

/** Nobody's receiver: this network, link-local (every cloud's metadata is there), multicast, what is reserved; and EC2's, in IPv6. */
const never = blockList(
  ['0.0.0.0/8', '169.254.0.0/16', '192.0.0.0/24', '224.0.0.0/4', '240.0.0.0/4'],
  ['::/128', 'fe80::/10', 'fec0::/10', 'ff00::/8', 'fd00:ec2::/32'],
);
const notPublic = blockList(
  [
    '10.0.0.0/8',
    '100.64.0.0/10',
    '127.0.0.0/8',
    '172.16.0.0/12',
    '192.168.0.0/16',
    '192.0.2.0/24',
    '198.18.0.0/15',
  ].concat(['198.51.100.0/24', '203.0.113.0/24', '192.88.99.0/24']),
  // What carries an IPv4 address within it may lead to any of them.
  ['::1/128', 'fc00::/7', '100::/64', '2001:db8::/32', '2001::/32', '2002::/16', '64:ff9b::/96', '64:ff9b:1::/48'],
);

function blockList(ipv4: readonly string[], ipv6: readonly string[]): BlockList {
  const list = new BlockList();
  for (const [nets, family] of [
    [ipv4, 'ipv4'],
    [ipv6, 'ipv6'],
  ] as const)
    for (const net of nets) {
      const [address = '', prefix = ''] = net.split('/');
      list.addSubnet(address, Number(prefix), family);
    }
  return list;
}

function isAllowed(address: string, allowed: WebhookAddresses): boolean {
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  return !never.check(address, family) && (allowed === 'private' || !notPublic.check(address, family));
}

const notAllowed = (host: string, address: string, allowed: WebhookAddresses): string => {
  const where = host === address ? address : `${host} is ${address}, which`;
  return allowed === 'public'
    ? `${where} is not an address that webhooks are sent to: it is not public`
    : `${where} is not an address that webhooks are sent to: it is link-local, or no host's`;
};

/** Answers the addresses of a name where all of them are allowed; one that is not is an error. */
export const checkedLookup =
  (allowed: WebhookAddresses): LookupFunction =>
  (host, options, callback) =>
    resolve(host, { ...options, all: true }, (error, found: LookupAddress[]) => {
      const [first] = found ?? [];
      if (error !== null || first === undefined) return callback(error ?? new Error(`${host} has no address`), []);
      const wrong = found.find(({ address }) => !isAllowed(address, allowed));
      if (wrong !== undefined) return callback(new Error(notAllowed(host, wrong.address, allowed)), []);
      return options.all === true ? callback(null, found) : callback(null, first.address, first.family);
    });

/** The URL where it may be sent to as far as it says itself. Throws InvalidParameterException. */
export function webhookUrl(text: string, allowed: WebhookAddresses): URL {
  const url = URL.canParse(text) && text.length <= 2048 ? new URL(text) : undefined;
  const schemes = allowed === 'public' ? ['https:'] : ['https:', 'http:'];
  if (url === undefined || !schemes.includes(url.protocol))
    throw wrongUrl(`url must be an address of at most 2,048 characters that begins with ${schemes.join('// or ')}//.`);
  if (url.username !== '' || url.password !== '' || url.hash !== '')
    throw wrongUrl('url may have neither a user nor a fragment.');
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  if (isIP(host) !== 0 && !isAllowed(host, allowed)) throw wrongUrl(`${notAllowed(host, host, allowed)}.`);
  return url;
}

const wrongUrl = (message: string): GantryError =>
  new GantryError('InvalidParameterException', message, {
    field: 'url',
    hint: 'For example https://example.com/gantry-events. docs/security.md says which addresses are allowed.',
  });
