import { describe, expect, it } from 'vitest';
import {
  fullRestore,
  fullRestoreIPv6,
  jumps,
  publishRules,
  removalRestore,
} from '../../../agent/network/firewall-rules.ts';

const shape = {
  chainPrefix: 'GT',
  bridge: 'gt0',
  subnet: '10.88.1.0/24',
  hostModeMatch: { kind: 'cgroup', path: 'gantry/host-1' },
} as const;
const published = publishRules('10.88.1.5', [
  { bindIP: '0.0.0.0', containerPort: 80, hostPort: 8080, protocol: 'tcp' },
]);

const nothing =
  '*nat\n:PREROUTING ACCEPT [0:0]\nCOMMIT\n*filter\n:FORWARD DROP [0:0]\n-A FORWARD -j DOCKER-USER\nCOMMIT\n';
const ours = [
  '*nat',
  ...jumps('GT').nat.map((jump) => `-A ${jump}`),
  ':GT-PORTS - [0:0]',
  ':GT-MASQ - [0:0]',
  'COMMIT',
  '*filter',
  ':DOCKER-USER - [0:0]',
  ':GT-INPUT - [0:0]',
  ':GT-FORWARD - [0:0]',
  ':GT-OUTPUT - [0:0]',
  '-A FORWARD -j DOCKER-USER',
  ...jumps('GT').filter.map((jump) => `-A ${jump}`),
  'COMMIT',
  '',
].join('\n');

describe('the chains', () => {
  it('hold published ports, keep tasks from metadata and let the rest out', () => {
    expect(fullRestore(shape, published, nothing)).toMatchInlineSnapshot(`
      "*nat
      :GT-PORTS - [0:0]
      :GT-MASQ - [0:0]
      -A GT-PORTS -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.88.1.5:80
      -A GT-MASQ -s 10.88.1.0/24 ! -o gt0 -j MASQUERADE
      -A GT-MASQ -s 10.88.1.0/24 -d 10.88.1.0/24 -m conntrack --ctstate DNAT -j MASQUERADE
      -A GT-MASQ -s 127.0.0.0/8 -o gt0 -j MASQUERADE
      -I PREROUTING -m addrtype --dst-type LOCAL -j GT-PORTS
      -I OUTPUT -m addrtype --dst-type LOCAL -j GT-PORTS
      -I POSTROUTING -j GT-MASQ
      COMMIT
      *filter
      :GT-INPUT - [0:0]
      :GT-FORWARD - [0:0]
      :GT-OUTPUT - [0:0]
      -A GT-INPUT -i gt0 -d 127.0.0.0/8 -m conntrack ! --ctstate RELATED,ESTABLISHED -j DROP
      -A GT-INPUT -i gt0 -d 169.254.169.254/32 -j DROP
      -A GT-FORWARD -i gt0 -d 169.254.169.254/32 -j DROP
      -A GT-FORWARD -i gt0 -j ACCEPT
      -A GT-FORWARD -o gt0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
      -A GT-FORWARD -o gt0 -m conntrack --ctstate DNAT -j ACCEPT
      -A GT-FORWARD -o gt0 -j DROP
      -A GT-OUTPUT -d 169.254.169.254/32 -m cgroup --path gantry/host-1 -j DROP
      -I INPUT -j GT-INPUT
      -I FORWARD -j GT-FORWARD
      -I OUTPUT -j GT-OUTPUT
      COMMIT
      "
    `);
  });

  it('are entered by each jump once', () => {
    expect(fullRestore(shape, published, ours)).not.toContain('-I ');
  });

  it('have nothing but metadata to keep in IPv6', () => {
    expect(fullRestoreIPv6(shape, '')).toMatchInlineSnapshot(`
      "*filter
      :GT-INPUT - [0:0]
      :GT-FORWARD - [0:0]
      :GT-OUTPUT - [0:0]
      -A GT-INPUT -d fd00:ec2::254/128 -i gt0 -j DROP
      -A GT-FORWARD -d fd00:ec2::254/128 -i gt0 -j DROP
      -A GT-OUTPUT -d fd00:ec2::254/128 -m cgroup --path gantry/host-1 -j DROP
      -I INPUT -j GT-INPUT
      -I FORWARD -j GT-FORWARD
      -I OUTPUT -j GT-OUTPUT
      COMMIT
      "
    `);
  });
});

describe('taking them away', () => {
  it('deletes the jumps first, and nothing of anyone else', () => {
    expect(removalRestore('GT', ours)).toMatchInlineSnapshot(`
      "*nat
      -D PREROUTING -m addrtype --dst-type LOCAL -j GT-PORTS
      -D OUTPUT -m addrtype --dst-type LOCAL -j GT-PORTS
      -D POSTROUTING -j GT-MASQ
      -F GT-PORTS
      -F GT-MASQ
      -X GT-PORTS
      -X GT-MASQ
      COMMIT
      *filter
      -D INPUT -j GT-INPUT
      -D FORWARD -j GT-FORWARD
      -D OUTPUT -j GT-OUTPUT
      -F GT-INPUT
      -F GT-FORWARD
      -F GT-OUTPUT
      -X GT-INPUT
      -X GT-FORWARD
      -X GT-OUTPUT
      COMMIT
      "
    `);
  });

  it('is nothing where there are none', () => {
    expect(removalRestore('GT', nothing)).toBe('');
    expect(removalRestore('G', ours)).toBe('');
  });
});
