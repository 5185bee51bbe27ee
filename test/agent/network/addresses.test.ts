import { describe, expect, it } from 'vitest';
import { AddressPool, hardwareAddress, overlaps, parseSubnet } from '../../../agent/network/addresses.ts';

describe('a subnet', () => {
  it('keeps its first address for the bridge and its last for broadcasts', () => {
    const pool = new AddressPool(parseSubnet('10.88.3.77/29'), 0);
    const taken = [pool.take(), pool.take(), pool.take(), pool.take(), pool.take()];
    expect(parseSubnet('10.88.3.77/29')).toMatchObject({ cidr: '10.88.3.72/29', gateway: '10.88.3.73' });
    expect(taken).toEqual(['10.88.3.74', '10.88.3.75', '10.88.3.76', '10.88.3.77', '10.88.3.78']);
    expect(() => pool.take()).toThrow('All 5 addresses of the subnet 10.88.3.72/29 are taken');
  });

  it('is refused when it has no room, or is no subnet', () => {
    for (const cidr of ['10.0.0.0/30', '10.0.0.0/7', '10.0.0.0']) expect(() => parseSubnet(cidr)).toThrow('prefix');
  });
});

describe('addresses', () => {
  it('come back last, so that an address is not given again at once', () => {
    const pool = new AddressPool(parseSubnet('10.88.3.0/24'), 7);
    const first = pool.take();
    pool.release(first);
    const others = Array.from({ length: 252 }, () => pool.take());
    expect(others).not.toContain(first);
    expect(pool.take()).toBe(first);
  });

  it('that are in use already are not given out', () => {
    const pool = new AddressPool(parseSubnet('10.88.3.0/29'), 0);
    for (const address of ['10.88.3.2', '10.88.3.3', '10.88.3.5']) pool.claim(address);
    expect([pool.take(), pool.take()]).toEqual(['10.88.3.4', '10.88.3.6']);
  });

  it('have a hardware address of their own', () => {
    expect(hardwareAddress('10.88.3.255')).toBe('02:42:0a:58:03:ff');
  });

  it.each([
    ['10.0.0.0/8', '10.213.1.0/24', true],
    ['10.213.1.0/24', '10.213.2.0/24', false],
    ['192.168.0.1', '192.168.0.0/24', true],
    ['192.168.1.1', '192.168.0.0/24', false],
    ['0.0.0.0/0', '10.0.0.0/8', true],
  ])('%s and %s overlap: %s', (a, b, expected) => {
    expect(overlaps(a, b)).toBe(expected);
    expect(overlaps(b, a)).toBe(expected);
  });
});
