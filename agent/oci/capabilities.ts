/** The capabilities of a container: Docker's default set, for what runs as root; what runs as another user starts with none. */
import type { SpecProcess } from './runtime-spec.ts';

export const defaultCapabilities: readonly string[] = [
  'CAP_AUDIT_WRITE',
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_KILL',
  'CAP_MKNOD',
  'CAP_NET_BIND_SERVICE',
  'CAP_NET_RAW',
  'CAP_SETFCAP',
  'CAP_SETGID',
  'CAP_SETPCAP',
  'CAP_SETUID',
  'CAP_SYS_CHROOT',
];

/** Other users keep the bounding set, so that set-user-id programs work; nothing is inheritable or ambient. */
export function processCapabilities(uid: number): SpecProcess['capabilities'] {
  const bounding = defaultCapabilities;
  return uid === 0 ? { bounding, effective: bounding, permitted: bounding } : { bounding };
}
