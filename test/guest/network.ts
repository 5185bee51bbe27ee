/**
 * Addresses of the guest's network, which QEMU makes in its own process: nothing of this machine's network is touched, and what is not
 * forwarded here does not exist for the guest. The network is wide enough to hold instance metadata beside the instance.
 */
export const network = {
  qemu: { net: '160.0.0.0/4', host: '172.31.0.1' },
  interface: { name: 'eth0', mac: '52:54:00:12:34:56' },
  /** As a subnet of a default VPC. */
  subnet: '172.31.0.0/20',
  /** Of the instance. */
  guest: '172.31.0.10',
  /** Behind every name of AWS, at port 443. */
  aws: '172.31.0.100',
  metadata: '169.254.169.254',
} as const;
