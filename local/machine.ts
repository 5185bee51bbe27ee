/** What this machine has, read once: the sizes and addresses that its hosts are cut from. */
import { readFileSync } from 'node:fs';
import { arch, availableParallelism, networkInterfaces } from 'node:os';

export interface Machine {
  readonly cpuUnits: number;
  readonly memoryMib: number;
  /** As the host attribute `ecs.cpu-architecture` spells it. */
  readonly cpuArchitecture: 'x86_64' | 'arm64';
  /** The first IPv4 address that is not loopback, or 127.0.0.1. */
  readonly address: string;
}

export function thisMachine(): Machine {
  return {
    cpuUnits: availableParallelism() * 1024,
    memoryMib: memoryTotalMib(readFileSync('/proc/meminfo', 'utf8')),
    cpuArchitecture: arch() === 'arm64' ? 'arm64' : 'x86_64',
    address: firstAddress(),
  };
}

function memoryTotalMib(meminfo: string): number {
  const kib = /^MemTotal:\s+(\d+) kB$/m.exec(meminfo)?.[1];
  if (kib === undefined) throw new Error('/proc/meminfo does not say MemTotal.');
  return Math.floor(Number(kib) / 1024);
}

function firstAddress(): string {
  for (const addresses of Object.values(networkInterfaces()))
    for (const address of addresses ?? []) if (address.family === 'IPv4' && !address.internal) return address.address;
  return '127.0.0.1';
}
