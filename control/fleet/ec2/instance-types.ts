/** What EC2 says of its instance types, zones and spot prices, page by page. Keeps nothing. */
import {
  DescribeInstanceTypesCommand,
  type EC2Client,
  type InstanceTypeInfo,
  paginateDescribeInstanceTypeOfferings,
  paginateDescribeInstanceTypes,
  paginateDescribeSpotPriceHistory,
} from '@aws-sdk/client-ec2';
import type { Architecture } from './requests.ts';

export interface TypeFacts {
  readonly name: string;
  readonly architecture: Architecture;
  readonly vcpus: number;
  readonly memoryMib: number;
  readonly isSpot: boolean;
}

/** Of the current generation, virtual (no bare metal), and of an architecture that hosts may have. */
export async function readTypes(client: EC2Client): Promise<readonly TypeFacts[]> {
  const Filters = [
    { Name: 'bare-metal', Values: ['false'] },
    { Name: 'current-generation', Values: ['true'] },
    { Name: 'supported-virtualization-type', Values: ['hvm'] },
  ];
  const types: TypeFacts[] = [];
  for await (const { InstanceTypes = [] } of paginateDescribeInstanceTypes({ client, pageSize: 100 }, { Filters }))
    types.push(...InstanceTypes.flatMap((info) => factsOf(info) ?? []));
  return types;
}

function factsOf(info: InstanceTypeInfo): TypeFacts | undefined {
  const { InstanceType: name, VCpuInfo, MemoryInfo, SupportedUsageClasses = [] } = info;
  const architecture = architectureOf(info);
  const vcpus = VCpuInfo?.DefaultVCpus;
  const memoryMib = MemoryInfo?.SizeInMiB;
  if (name === undefined || architecture === undefined || !vcpus || !memoryMib) return undefined;
  return { name, architecture, vcpus, memoryMib, isSpot: SupportedUsageClasses.includes('spot') };
}

function architectureOf({ ProcessorInfo }: InstanceTypeInfo): Architecture | undefined {
  const supported = ProcessorInfo?.SupportedArchitectures ?? [];
  return (['x86_64', 'arm64'] as const).find((architecture) => supported.includes(architecture));
}

/** Of those that exist. */
export async function readArchitectures(
  client: EC2Client,
  names: readonly string[],
): Promise<ReadonlyMap<string, Architecture>> {
  // Names as they are: EC2 knows types that the SDK does not.
  const Filters = [{ Name: 'instance-type', Values: [...names] }];
  const { InstanceTypes = [] } = await client.send(new DescribeInstanceTypesCommand({ Filters }));
  return new Map(
    InstanceTypes.flatMap((info): [string, Architecture][] => {
      const architecture = architectureOf(info);
      return info.InstanceType === undefined || architecture === undefined ? [] : [[info.InstanceType, architecture]];
    }),
  );
}

/** By type, the zones that have it. */
export async function readZones(client: EC2Client): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const zones = new Map<string, Set<string>>();
  const pages = paginateDescribeInstanceTypeOfferings(
    { client, pageSize: 1000 },
    { LocationType: 'availability-zone' },
  );
  for await (const { InstanceTypeOfferings = [] } of pages)
    for (const { InstanceType, Location } of InstanceTypeOfferings)
      if (InstanceType !== undefined && Location !== undefined)
        zones.set(InstanceType, (zones.get(InstanceType) ?? new Set()).add(Location));
  return zones;
}

/** By type and zone, dollars an hour. */
export type SpotPrices = ReadonlyMap<string, ReadonlyMap<string, number>>;

/** `now` as the beginning of the history: the prices that hold, and none before them. */
export async function readSpotPrices(client: EC2Client, now: number): Promise<SpotPrices> {
  const latest = new Map<string, Map<string, { readonly price: number; readonly at: number }>>();
  const pages = paginateDescribeSpotPriceHistory(
    { client, pageSize: 1000 },
    { StartTime: new Date(now), ProductDescriptions: ['Linux/UNIX'] },
  );
  for await (const { SpotPriceHistory = [] } of pages)
    for (const { InstanceType, AvailabilityZone, SpotPrice, Timestamp } of SpotPriceHistory) {
      const price = Number(SpotPrice);
      if (InstanceType === undefined || AvailabilityZone === undefined || !(price > 0)) continue;
      const ofType = latest.get(InstanceType) ?? new Map();
      latest.set(InstanceType, ofType);
      const at = Timestamp?.getTime() ?? 0;
      if (at >= (ofType.get(AvailabilityZone)?.at ?? 0)) ofType.set(AvailabilityZone, { price, at });
    }
  return new Map(
    [...latest].map(([type, zones]) => [type, new Map([...zones].map(([zone, { price }]) => [zone, price]))]),
  );
}
