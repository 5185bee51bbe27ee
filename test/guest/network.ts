/**
 * Addresses of a guest's network, which QEMU makes in its own process: nothing of this machine's network is touched, and what is not
 * forwarded here does not exist for the guest. The network is wide enough to hold instance metadata beside the instance.
 */
export const network = {
  qemu: '160.0.0.0/4',
  interface: { name: 'eth0', mac: '52:54:00:12:34:56' },
  /** Of a default VPC, one for each zone. */
  subnets: ['172.31.0.0/20', '172.31.16.0/20', '172.31.32.0/20'],
  /** Behind every name that the machine lends a guest. */
  lent: '172.31.255.100',
  metadata: '169.254.169.254',
} as const;

/** The subnet of an instance. */
export function subnetOf(privateIp: string): {
  readonly cidr: string;
  readonly prefix: number;
  readonly router: string;
} {
  const [first, second, third] = privateIp.split('.');
  const base = `${first}.${second}.${Number(third) & 240}`;
  return { cidr: `${base}.0/20`, prefix: 20, router: `${base}.1` };
}
