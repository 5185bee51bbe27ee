/** One VPC with a subnet in each zone, and the addresses that it hands out. */
import { Ec2Error } from './errors.ts';

export interface Subnet {
  readonly subnetId: string;
  readonly zone: string;
  /** For example `use1-az1`: the same wherever the account's zones begin. */
  readonly zoneId: string;
  readonly cidr: string;
  used: number;
}

export const vpcId = 'vpc-0123456789abcdef0';
/** AWS keeps five of each subnet: its first four and its last. */
const kept = { first: 4, all: 5 };

export class Subnets {
  readonly all: readonly Subnet[];

  /** @param cidrs of the zones' subnets, in their order */
  constructor(
    zones: readonly string[],
    region: string,
    cidrs: readonly string[] = zones.map((_, index) => `10.${index}.0.0/16`),
  ) {
    if (cidrs.length !== zones.length)
      throw new Error(`cidrs: ${cidrs.length} for ${zones.length} zones, and each has one subnet`);
    const short = region.replace(/^(\w\w)-(\w)\w*?-(\d)$/, '$1$2$3');
    this.all = zones.map((zone, index) => ({
      subnetId: `subnet-0${index.toString(16).padStart(16, '0')}`,
      zone,
      zoneId: `${short}-az${index + 1}`,
      cidr: cidrs[index] ?? '',
      used: 0,
    }));
  }

  get(subnetId: string): Subnet {
    const subnet = this.all.find((each) => each.subnetId === subnetId);
    if (subnet === undefined) {
      throw new Ec2Error('InvalidSubnetID.NotFound', `The subnet ID '${subnetId}' does not exist`);
    }
    return subnet;
  }

  inZone(zone: string): Subnet {
    const subnet = this.all.find((each) => each.zone === zone);
    if (subnet === undefined) {
      throw new Ec2Error('InvalidParameterValue', `Invalid availability zone: [${zone}]`);
    }
    return subnet;
  }

  /** An address is not used again: nothing here takes one instance for another. Whoever asks has seen that there is one. */
  nextAddress(subnet: Subnet): string {
    if (this.freeAddresses(subnet) === 0) throw new Error(`took more addresses of ${subnet.subnetId} than there were`);
    const address = numberOf(subnet.cidr) + kept.first + subnet.used;
    subnet.used += 1;
    return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');
  }

  freeAddresses({ cidr, used }: Subnet): number {
    return 2 ** (32 - Number(cidr.split('/')[1])) - kept.all - used;
  }
}

/** Of the subnet's first address. */
const numberOf = (cidr: string): number =>
  cidr
    .replace(/\/.*/, '')
    .split('.')
    .reduce((sum, part) => sum * 256 + Number(part), 0);
