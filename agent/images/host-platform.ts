/** The platform of this machine, as images name it: with the level of an x86-64 processor, so that the best variant of an image is taken. */
import { readFileSync } from 'node:fs';
import type { Platform } from './manifest.ts';

/** What each level of the x86-64 psABI has beyond the one before, in the words of /proc/cpuinfo. */
const levels: readonly (readonly string[])[] = [
  ['cx16', 'lahf_lm', 'popcnt', 'pni', 'sse4_1', 'sse4_2', 'ssse3'],
  ['avx', 'avx2', 'bmi1', 'bmi2', 'f16c', 'fma', 'abm', 'movbe', 'xsave'],
  ['avx512f', 'avx512bw', 'avx512cd', 'avx512dq', 'avx512vl'],
];

/** @param cpuInfo what /proc/cpuinfo says; of a processor that it does not describe, what runs everywhere is taken */
export function hostPlatform(arch: string = process.arch, cpuInfo: string = readCpuInfo()): Platform {
  if (arch !== 'x64') return { os: 'linux', architecture: arch };
  const flags = new Set(/^flags\s*:(.*)$/m.exec(cpuInfo)?.[1]?.split(' ') ?? []);
  const missing = levels.findIndex((level) => !level.every((flag) => flags.has(flag)));
  return { os: 'linux', architecture: 'amd64', variant: `v${(missing === -1 ? levels.length : missing) + 1}` };
}

function readCpuInfo(): string {
  try {
    return readFileSync('/proc/cpuinfo', 'utf8');
  } catch {
    return '';
  }
}
