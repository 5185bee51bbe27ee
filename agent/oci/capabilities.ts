/**
 * The capabilities of a container: Docker's default set, for what runs as root; what runs as another user starts with none. On the
 * host's own network there is no CAP_NET_RAW: with it a task makes its own frames, which come past every rule about what it may reach.
 */
import type { SpecProcess } from './runtime-spec.ts';

const rawNetwork = 'CAP_NET_RAW';

const defaultCapabilities: readonly string[] = [
  'CAP_AUDIT_WRITE',
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_KILL',
  'CAP_MKNOD',
  'CAP_NET_BIND_SERVICE',
  rawNetwork,
  'CAP_SETFCAP',
  'CAP_SETGID',
  'CAP_SETPCAP',
  'CAP_SETUID',
  'CAP_SYS_CHROOT',
];

export const boundingCapabilities = (network: { readonly kind: string }): readonly string[] =>
  network.kind === 'host' ? defaultCapabilities.filter((name) => name !== rawNetwork) : defaultCapabilities;

/** Other users keep the bounding set, so that set-user-id programs work; nothing is inheritable or ambient. */
export function processCapabilities(uid: number, bounding: readonly string[]): SpecProcess['capabilities'] {
  return uid === 0 ? { bounding, effective: bounding, permitted: bounding } : { bounding };
}
