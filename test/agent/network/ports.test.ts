import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import {
  fallbackRange,
  type PortRequest,
  parsePortRange,
  probeByBinding,
  takePorts,
} from '../../../agent/network/ports.ts';
import type { HostPort } from '../../../core/model/resources.ts';

const request = (overrides: Partial<PortRequest>): PortRequest => ({
  mappings: [],
  holders: new Map(),
  taskId: 'mine',
  range: { first: 40_000, last: 40_003 },
  isListening: async () => false,
  random: () => 0.5,
  bindIP: '0.0.0.0',
  ...overrides,
});

describe('host ports', () => {
  it('are those that were named, and free ones of the range where none was', async () => {
    const holders = new Map<HostPort, string>([['tcp/40002', 'other']]);
    const bindings = await takePorts(
      request({
        holders,
        isListening: async (_, port) => port === 40_003,
        mappings: [
          { containerPort: 80, hostPort: 0, protocol: 'tcp' },
          { containerPort: 81, hostPort: 40_000, protocol: 'tcp' },
          { containerPort: 53, hostPort: 0, protocol: 'udp' },
        ],
      }),
    );
    expect(bindings).toEqual([
      { bindIP: '0.0.0.0', containerPort: 81, hostPort: 40_000, protocol: 'tcp' },
      { bindIP: '0.0.0.0', containerPort: 80, hostPort: 40_001, protocol: 'tcp' },
      { bindIP: '0.0.0.0', containerPort: 53, hostPort: 40_002, protocol: 'udp' },
    ]);
    expect([...holders].filter(([, holder]) => holder === 'mine')).toHaveLength(3);
  });

  it('that another task has are refused by its id, and those of another program as such', async () => {
    const mappings = [{ containerPort: 80, hostPort: 8080, protocol: 'tcp' as const }];
    await expect(takePorts(request({ mappings, holders: new Map([['tcp/8080', 'other']]) }))).rejects.toThrow(
      'Host port 8080/tcp is already published by task other.',
    );
    const holders = new Map<HostPort, string>();
    await expect(takePorts(request({ mappings, holders, isListening: async () => true }))).rejects.toThrow(
      'Host port 8080/tcp is in use by a program on the host.',
    );
    expect(holders.size).toBe(0);
  });

  it('cannot be named twice in a task, but once for each protocol', async () => {
    const tcp = { containerPort: 80, hostPort: 8080, protocol: 'tcp' as const };
    await expect(takePorts(request({ mappings: [tcp, { ...tcp, containerPort: 81 }] }))).rejects.toThrow(
      'already published by another container of this task',
    );
    await expect(takePorts(request({ mappings: [tcp, { ...tcp, protocol: 'udp' }] }))).resolves.toHaveLength(2);
  });

  it('of a range are as many in a row, past whatever is taken', async () => {
    const holders = new Map<HostPort, string>([['tcp/40003', 'other']]);
    const range = { first: 40_000, last: 40_009 };
    const ask = (containerPortRange: string, random: number) =>
      takePorts(
        request({
          holders,
          range,
          random: () => random,
          isListening: async (_, port) => port === 40_006,
          mappings: [
            { containerPort: 80, hostPort: 0, protocol: 'tcp' },
            { containerPortRange, protocol: 'tcp' },
          ],
        }),
      );
    expect(await ask('8000-8002', 0.9)).toEqual([
      { bindIP: '0.0.0.0', containerPortRange: '8000-8002', hostPortRange: '40007-40009', protocol: 'tcp' },
      { bindIP: '0.0.0.0', containerPort: 80, hostPort: 40_000, protocol: 'tcp' },
    ]);
    expect(await ask('8000-8001', 0.9)).toMatchObject([{ hostPortRange: '40001-40002' }, { hostPort: 40_004 }]);
    await expect(ask('8000-8001', 0)).rejects.toThrow(
      'No row of 2 ports between 40000 and 40009 is free on the host for tcp.',
    );
    await expect(ask('1-100', 0)).rejects.toThrow('No row of 100 ports');
    expect(holders.size, 'nothing is held for what was refused').toBe(8);
  });

  it('run out with a sentence', async () => {
    const mappings = Array.from({ length: 5 }, () => ({ containerPort: 80, hostPort: 0, protocol: 'tcp' as const }));
    await expect(takePorts(request({ mappings }))).rejects.toThrow('No port between 40000 and 40003 is free');
  });

  it('are seen as taken while something listens, on whatever address', async () => {
    const tcp = createServer().listen(0, '127.0.0.1');
    await once(tcp, 'listening');
    const address = tcp.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    expect(await probeByBinding('tcp', port)).toBe(true);
    expect(await probeByBinding('udp', port)).toBe(false);
    tcp.close();
    await once(tcp, 'close');
    expect(await probeByBinding('tcp', port)).toBe(false);

    const udp = createSocket('udp4').bind(0, '127.0.0.1');
    await once(udp, 'listening');
    expect(await probeByBinding('udp', udp.address().port)).toBe(true);
    udp.close();
  });
});

describe('the range of dynamic ports', () => {
  it.each([
    ['32768\t60999\n', { first: 32_768, last: 60_999 }],
    ['', fallbackRange],
    ['7\t3\n', fallbackRange],
  ])('from %j is %j', (text, expected) => {
    expect(parsePortRange(text)).toEqual(expected);
  });
});
