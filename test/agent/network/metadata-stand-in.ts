/**
 * Something that answers at the addresses of instance metadata, as it does in EC2: one hop from this machine, in a network namespace. Its
 * routes are for these addresses alone, and go with it.
 */
import { randomBytes } from 'node:crypto';
import { netnsPath } from '../../../agent/network/names.ts';
import { ipBatch } from '../../../agent/network/tool.ts';
import { serve } from './network-peers.ts';

/** What answers behind the same route: instance metadata, and an address beside it that tasks may ask. */
export const metadataAddresses = {
  ipv4: { metadata: '169.254.169.254', other: '169.254.169.253' },
  ipv6: { metadata: 'fd00:ec2::254', other: 'fd00:ec2::253' },
} as const;

const answering = Object.values(metadataAddresses).flatMap(({ metadata, other }) => [metadata, other]);

/** Answers connections to port 80 with `metadata saw <address>`. */
export async function standInForMetadata(): Promise<AsyncDisposable> {
  const name = `gtmd${randomBytes(3).toString('hex')}`;
  const netns = netnsPath(name);
  const stack = new AsyncDisposableStack();
  stack.defer(() => ipBatch('removing', [`link del ${name}`, `netns del ${name}`]));
  await ipBatch('making', [
    `netns add ${name}`,
    `link add ${name} type veth peer name eth0 netns ${name}`,
    `addr add 198.18.254.1/30 dev ${name}`,
    `addr add fd00:6774::1/64 dev ${name} nodad`,
    `link set ${name} up`,
  ]);
  const bits = (address: string) => (address.includes(':') ? 128 : 32);
  await ipBatch(
    'making',
    [
      'link set lo up',
      'addr add 198.18.254.2/30 dev eth0',
      'addr add fd00:6774::2/64 dev eth0 nodad',
      'link set eth0 up',
      'route add default via 198.18.254.1',
      ...answering.map(
        (address) => `addr add ${address}/${bits(address)} dev lo ${bits(address) === 128 ? 'nodad' : ''}`,
      ),
    ],
    netns,
  );
  const gateway = (address: string) => (bits(address) === 128 ? 'fd00:6774::2' : '198.18.254.2');
  await ipBatch(
    'making',
    answering.map((address) => `route add ${address}/${bits(address)} via ${gateway(address)} dev ${name}`),
  );
  stack.use(await serve(netns, 80, 'metadata'));
  stack.use(await serve(netns, 80, 'metadata', '::'));
  return stack;
}
