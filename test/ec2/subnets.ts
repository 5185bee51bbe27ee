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
/** A /16, less the five that AWS keeps of each subnet. */
const addresses = 2 ** 16 - 5;

export class Subnets {
  readonly all: readonly Subnet[];

  constructor(zones: readonly string[], region: string) {
    const short = region.replace(/^(\w\w)-(\w)\w*?-(\d)$/, '$1$2$3');
    this.all = zones.map((zone, index) => ({
      subnetId: `subnet-0${index.toString(16).padStart(16, '0')}`,
      zone,
      zoneId: `${short}-az${index + 1}`,
      cidr: `10.${index}.0.0/16`,
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
    subnet.used += 1;
    const host = subnet.used + 3;
    return `${subnet.cidr.replace('.0.0/16', '')}.${host >> 8}.${host & 255}`;
  }

  freeAddresses(subnet: Subnet): number {
    return addresses - subnet.used;
  }
}
