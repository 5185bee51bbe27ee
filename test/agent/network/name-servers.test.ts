import { describe, expect, it } from 'vitest';
import { resolvConf } from '../../../agent/network/name-servers.ts';

const machine = (files: Record<string, string>) => (path: string) => files[path] ?? '';

describe("a container's resolv.conf", () => {
  it("has the machine's servers and search list", () => {
    const read = machine({
      '/etc/resolv.conf': '# made by dhcp\nsearch example.test\nnameserver 10.0.0.2\noptions ndots:2\n',
    });
    expect(resolvConf(undefined, read)).toBe('search example.test\noptions ndots:2\nnameserver 10.0.0.2\n');
  });

  it('looks behind a stub on loopback, which no container reaches', () => {
    const read = machine({
      '/etc/resolv.conf': 'nameserver 127.0.0.53\n',
      '/run/systemd/resolve/resolv.conf': 'nameserver 10.0.0.3\nnameserver fe80::1\n',
    });
    expect(resolvConf(undefined, read)).toBe('nameserver 10.0.0.3\n');
  });

  it('falls back on public servers, as Docker does', () => {
    expect(resolvConf(undefined, machine({}))).toBe('nameserver 8.8.8.8\nnameserver 8.8.4.4\n');
  });

  it('takes what was configured', () => {
    expect(resolvConf(['9.9.9.9'], machine({ '/etc/resolv.conf': 'nameserver 10.0.0.2' }))).toBe(
      'nameserver 9.9.9.9\n',
    );
  });
});
