import { describe, expect, it } from 'vitest';
import {
  checkRestore,
  fullRestore,
  jumps,
  publishedIn,
  removalRestore,
} from '../../../agent/network/firewall-rules.ts';
import { publicationsOf, publishRule } from '../../../agent/network/publications.ts';

const shape = {
  chainPrefix: 'GT',
  bridge: 'gt0',
  subnet: '10.88.1.0/24',
  hostModeMatch: { kind: 'cgroup', path: 'gantry/host-1' },
} as const;
const published = publicationsOf('10.88.1.5', [
  { bindIP: '0.0.0.0', containerPort: 80, hostPort: 8080, protocol: 'tcp' },
  { bindIP: '0.0.0.0', containerPortRange: '7000-7009', hostPortRange: '40000-40009', protocol: 'udp' },
]).map(publishRule);

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
    expect(fullRestore(shape, 'IPv4', published, nothing)).toMatchInlineSnapshot(`
      "*filter
      :GT-INPUT - [0:0]
      :GT-FORWARD - [0:0]
      :GT-OUTPUT - [0:0]
      -A GT-INPUT -i gt0 -d 127.0.0.0/8 -m conntrack ! --ctstate RELATED,ESTABLISHED -j DROP
      -A GT-INPUT -i gt0 -d 169.254.169.254/32 -j DROP
      -A GT-FORWARD -i gt0 -d 169.254.170.2/32 -j DROP
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
      *nat
      :GT-PORTS - [0:0]
      :GT-METADATA - [0:0]
      :GT-HOSTMETA - [0:0]
      :GT-MASQ - [0:0]
      -A GT-PORTS -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.88.1.5:80
      -A GT-PORTS -p udp -m udp --dport 40000:40009 -j DNAT --to-destination 10.88.1.5:7000-7009/40000
      -A GT-MASQ -s 10.88.1.0/24 ! -o gt0 -j MASQUERADE
      -A GT-MASQ -s 10.88.1.0/24 -d 10.88.1.0/24 -m conntrack --ctstate DNAT -j MASQUERADE
      -A GT-MASQ -s 127.0.0.0/8 -o gt0 -j MASQUERADE
      -I PREROUTING -m addrtype --dst-type LOCAL -j GT-PORTS
      -I OUTPUT -m addrtype --dst-type LOCAL -j GT-PORTS
      -I PREROUTING -d 169.254.170.2/32 -j GT-METADATA
      -I OUTPUT -d 169.254.170.2/32 -j GT-HOSTMETA
      -I POSTROUTING -j GT-MASQ
      COMMIT
      "
    `);
  });

  it('can be looked for, each rule that was made but those of ports, which are counted', () => {
    const made = fullRestore(shape, 'IPv4', published, nothing);
    const rules = made.split('\n').flatMap((line) => (/^-[AI] /.test(line) ? [line.slice(3)] : []));
    const asked = checkRestore(shape, 'IPv4')
      .split('\n')
      .filter((line) => line.startsWith('-'));
    const ofPorts = published.map((rule) => `GT-PORTS ${rule}`);
    expect(new Set([...asked, ...ofPorts.map((rule) => `-C ${rule}`)])).toEqual(
      new Set(rules.map((rule) => `-C ${rule}`)),
    );
    expect(publishedIn('GT', made)).toBe(2);
  });

  it('are entered by each jump once', () => {
    expect(fullRestore(shape, 'IPv4', published, ours)).not.toContain('-I ');
  });

  it('have nothing but metadata to keep in IPv6', () => {
    expect(fullRestore(shape, 'IPv6', [], '')).toMatchInlineSnapshot(`
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
      -D PREROUTING -d 169.254.170.2/32 -j GT-METADATA
      -D OUTPUT -d 169.254.170.2/32 -j GT-HOSTMETA
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
