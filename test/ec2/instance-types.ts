/** What this EC2 sells: instance types with their sizes, their prices and the zones that have them. */
import { Ec2Error, invalidValue, notInZone } from './errors.ts';

export interface InstanceTypeFacts {
  /** For example `m7g.large`. */
  readonly name: string;
  readonly vcpus: number;
  readonly memoryMib: number;
  readonly architecture: 'x86_64' | 'arm64';
  /** US dollars an hour, on demand. */
  readonly onDemandUsd: number;
  /** The same in all zones, or by zone; absent: not to be had as spot. */
  readonly spotUsd?: number | Readonly<Record<string, number>>;
  /** Absent: all of them. */
  readonly zones?: readonly string[];
  readonly networkInterfaces?: number;
  readonly ipv4PerInterface?: number;
  readonly gpus?: readonly { readonly name: string; readonly count: number; readonly memoryMib: number }[];
}

/** Prices of us-east-1 at some time. */
export const defaultTypes: readonly InstanceTypeFacts[] = [
  { name: 'c7i.large', vcpus: 2, memoryMib: 4096, architecture: 'x86_64', onDemandUsd: 0.08925, spotUsd: 0.0357 },
  { name: 'c7i.xlarge', vcpus: 4, memoryMib: 8192, architecture: 'x86_64', onDemandUsd: 0.1785, spotUsd: 0.0714 },
  { name: 'm7i.large', vcpus: 2, memoryMib: 8192, architecture: 'x86_64', onDemandUsd: 0.1008, spotUsd: 0.0403 },
  { name: 'm7i.xlarge', vcpus: 4, memoryMib: 16_384, architecture: 'x86_64', onDemandUsd: 0.2016, spotUsd: 0.0806 },
  { name: 'r7i.large', vcpus: 2, memoryMib: 16_384, architecture: 'x86_64', onDemandUsd: 0.1323, spotUsd: 0.0529 },
  { name: 'c7g.large', vcpus: 2, memoryMib: 4096, architecture: 'arm64', onDemandUsd: 0.0725, spotUsd: 0.029 },
  { name: 'm7g.large', vcpus: 2, memoryMib: 8192, architecture: 'arm64', onDemandUsd: 0.0816, spotUsd: 0.0326 },
  { name: 'm7g.xlarge', vcpus: 4, memoryMib: 16_384, architecture: 'arm64', onDemandUsd: 0.1632, spotUsd: 0.0653 },
];

export class Catalog {
  readonly types: readonly InstanceTypeFacts[];
  readonly zones: readonly string[];

  constructor(types: readonly InstanceTypeFacts[], zones: readonly string[]) {
    for (const { name, zones: sold = [] } of types) {
      const unknown = sold.find((zone) => !zones.includes(zone));
      if (unknown !== undefined) throw new Error(`types: ${name} is sold in ${unknown}, which is not among the zones`);
    }
    this.types = types.toSorted((a, b) => (a.name < b.name ? -1 : 1));
    this.zones = zones;
  }

  find(name: string): InstanceTypeFacts | undefined {
    return this.types.find((type) => type.name === name);
  }

  /** For a request that names a type. */
  get(name: string): InstanceTypeFacts {
    const type = this.find(name);
    if (type === undefined) throw invalidValue('InstanceType', name);
    return type;
  }

  zonesOf(type: InstanceTypeFacts): readonly string[] {
    return type.zones ?? this.zones;
  }

  requireInZone(type: InstanceTypeFacts, zone: string): void {
    const zones = this.zonesOf(type);
    if (!zones.includes(zone)) throw notInZone(type.name, zone, zones);
  }

  spotUsd(type: InstanceTypeFacts, zone: string): number | undefined {
    if (!this.zonesOf(type).includes(zone)) return undefined;
    return typeof type.spotUsd === 'object' ? type.spotUsd[zone] : type.spotUsd;
  }

  /** For DescribeInstanceTypes, which has an error of its own. */
  requireKnown(names: readonly string[]): void {
    const unknown = names.filter((name) => this.find(name) === undefined);
    if (unknown.length > 0) {
      throw new Ec2Error(
        'InvalidInstanceType',
        `The following supplied instance types do not exist: [${unknown.join(', ')}]`,
      );
    }
  }
}
