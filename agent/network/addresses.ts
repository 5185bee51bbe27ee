/** IPv4 arithmetic for a host's task network. Pure. */

export interface Subnet {
  /** As it was given, for example `10.213.1.0/24`. */
  readonly cidr: string;
  readonly prefixLength: number;
  /** The bridge's own address, the first of the subnet. */
  readonly gateway: string;
  /** The addresses that containers may have, as numbers: first and last. */
  readonly first: number;
  readonly last: number;
}

/** Throws an Error when the subnet has no room for a container. */
export function parseSubnet(cidr: string): Subnet {
  const [address = '', length = ''] = cidr.split('/');
  const prefixLength = Number(length);
  const size = 2 ** (32 - prefixLength);
  const network = Math.floor(toNumber(address) / size) * size;
  if (!(prefixLength >= 8 && prefixLength <= 29))
    throw new Error(`The subnet ${cidr} must have a prefix of 8 to 29 bits.`);
  return {
    cidr: `${toAddress(network)}/${prefixLength}`,
    prefixLength,
    gateway: toAddress(network + 1),
    first: network + 2,
    last: network + size - 2, // The one after it is the broadcast address.
  };
}

function toNumber(address: string): number {
  return address.split('.').reduce((number, octet) => number * 256 + Number(octet), 0);
}

function toAddress(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
}

/** True when the two networks have an address in common. */
export function overlaps(a: string, b: string): boolean {
  const [addressA = '', lengthA = '32'] = a.split('/');
  const [addressB = '', lengthB = '32'] = b.split('/');
  const size = 2 ** (32 - Math.min(Number(lengthA), Number(lengthB)));
  return Math.floor(toNumber(addressA) / size) === Math.floor(toNumber(addressB) / size);
}

/**
 * The hardware address that goes with an IPv4 address. Neighbours remember who has an address for a while: this way the answer is
 * still right when the address goes to another container.
 */
export function hardwareAddress(address: string): string {
  const octets = address.split('.').map((octet) => Number(octet).toString(16).padStart(2, '0'));
  return `02:42:${octets.join(':')}`; // A locally administered unicast address.
}

/** Hands out a subnet's addresses, the longest unused ones first. */
export class AddressPool {
  readonly #subnet: Subnet;
  readonly #taken = new Set<string>();
  #next: number;

  /** @param start where to begin, any integer: an agent that starts again should not begin where it began before. */
  constructor(subnet: Subnet, start: number) {
    this.#subnet = subnet;
    this.#next = subnet.first + (start % (subnet.last - subnet.first + 1));
  }

  /** Marks an address that is in use already. */
  claim(address: string): void {
    this.#taken.add(address);
  }

  /** Throws an Error when every address is taken. */
  take(): string {
    const { first, last, cidr } = this.#subnet;
    for (let tries = first; tries <= last; tries++) {
      const address = toAddress(this.#next);
      this.#next = this.#next >= last ? first : this.#next + 1;
      if (this.#taken.has(address)) continue;
      this.#taken.add(address);
      return address;
    }
    throw new Error(`All ${last - first + 1} addresses of the subnet ${cidr} are taken by containers of this host.`);
  }

  release(address: string): void {
    this.#taken.delete(address);
  }
}
