/** What can be bought, where and for how much, and the subnets it can be put into. */
import {
  type _InstanceType,
  DescribeInstanceTypeOfferings$,
  type DescribeInstanceTypeOfferingsRequest,
  type DescribeInstanceTypeOfferingsResult,
  DescribeInstanceTypes$,
  type DescribeInstanceTypesRequest,
  type DescribeInstanceTypesResult,
  DescribeSpotPriceHistory$,
  type DescribeSpotPriceHistoryRequest,
  type DescribeSpotPriceHistoryResult,
  DescribeSubnets$,
  type DescribeSubnetsRequest,
  type DescribeSubnetsResult,
  type InstanceTypeInfo,
  type LocationType,
} from '@aws-sdk/client-ec2';
import { Ec2Error } from '../errors.ts';
import { type Facets, filtered } from '../filters.ts';
import type { InstanceTypeFacts } from '../instance-types.ts';
import { paged } from '../pages.ts';
import { vpcId } from '../subnets.ts';
import type { World } from '../world.ts';
import { type Operation, operation, refuseDryRun } from './operation.ts';

export const catalogOperations = (world: World): Operation[] => [
  operation(DescribeInstanceTypes$, (request: DescribeInstanceTypesRequest) => describeTypes(world, request)),
  operation(DescribeInstanceTypeOfferings$, (request: DescribeInstanceTypeOfferingsRequest) =>
    describeOfferings(world, request),
  ),
  operation(DescribeSpotPriceHistory$, (request: DescribeSpotPriceHistoryRequest) =>
    describeSpotPrices(world, request),
  ),
  operation(DescribeSubnets$, (request: DescribeSubnetsRequest) => describeSubnets(world, request)),
];

function describeTypes(world: World, request: DescribeInstanceTypesRequest): DescribeInstanceTypesResult {
  const { InstanceTypes: names = [], Filters, MaxResults } = request;
  refuseDryRun(request);
  if (names.length > 0 && MaxResults !== undefined) {
    throw new Ec2Error('InvalidParameterCombination', 'The parameter InstanceTypes cannot be used with MaxResults');
  }
  if (names.length > 100) {
    throw new Ec2Error('InvalidParameterValue', `There are ${names.length} instance types; at most 100 are allowed.`);
  }
  world.catalog.requireKnown(names);
  const known = world.catalog.types.filter(({ name }) => names.length === 0 || names.some((each) => each === name));
  const matching = filtered(known, Filters, typeFacets);
  const rules = {
    list: 'instance-types',
    bounds: [5, 100] as const,
    pageSize: names.length > 0 ? undefined : world.pageSize,
  };
  const { page, NextToken } = paged(matching, ({ name }) => name, request, rules);
  return { InstanceTypes: page.map(typeView), NextToken };
}

const typeFacets: Facets<InstanceTypeFacts> = {
  'bare-metal': () => 'false',
  'current-generation': () => 'true',
  hypervisor: () => 'nitro',
  'instance-type': ({ name }) => name,
  'memory-info.size-in-mib': ({ memoryMib }) => `${memoryMib}`,
  'processor-info.supported-architecture': ({ architecture }) => architecture,
  'supported-usage-class': ({ spotUsd }) => (spotUsd === undefined ? 'on-demand' : ['on-demand', 'spot']),
  'supported-virtualization-type': () => 'hvm',
  'vcpu-info.default-vcpus': ({ vcpus }) => `${vcpus}`,
};

function typeView(type: InstanceTypeFacts): InstanceTypeInfo {
  const { vcpus, gpus = [], networkInterfaces = 3, ipv4PerInterface = 10 } = type;
  const threads = type.architecture === 'x86_64' ? Math.min(2, vcpus) : 1;
  return {
    InstanceType: modelled(type.name),
    CurrentGeneration: true,
    FreeTierEligible: false,
    SupportedUsageClasses: type.spotUsd === undefined ? ['on-demand'] : ['on-demand', 'spot'],
    SupportedRootDeviceTypes: ['ebs'],
    SupportedVirtualizationTypes: ['hvm'],
    BareMetal: false,
    Hypervisor: 'nitro',
    ProcessorInfo: { SupportedArchitectures: [type.architecture] },
    VCpuInfo: { DefaultVCpus: vcpus, DefaultCores: vcpus / threads, DefaultThreadsPerCore: threads },
    MemoryInfo: { SizeInMiB: type.memoryMib },
    InstanceStorageSupported: false,
    ...(gpus.length > 0 && { GpuInfo: gpuView(gpus) }),
    NetworkInfo: {
      MaximumNetworkInterfaces: networkInterfaces,
      MaximumNetworkCards: 1,
      Ipv4AddressesPerInterface: ipv4PerInterface,
    },
    BurstablePerformanceSupported: false,
  };
}

const gpuView = (gpus: NonNullable<InstanceTypeFacts['gpus']>): NonNullable<InstanceTypeInfo['GpuInfo']> => ({
  Gpus: gpus.map(({ name, count, memoryMib }) => ({
    Name: name,
    Manufacturer: 'NVIDIA',
    Count: count,
    MemoryInfo: { SizeInMiB: memoryMib },
  })),
  TotalGpuMemoryInMiB: gpus.reduce((sum, { count, memoryMib }) => sum + count * memoryMib, 0),
});

function describeOfferings(
  world: World,
  request: DescribeInstanceTypeOfferingsRequest,
): DescribeInstanceTypeOfferingsResult {
  refuseDryRun(request);
  const kind: LocationType = request.LocationType ?? 'region';
  const offerings = world.catalog.types.flatMap((type) =>
    locations(world, type, kind).map((location) => ({ type: type.name, location })),
  );
  const matching = filtered(offerings, request.Filters, {
    'instance-type': ({ type }) => type,
    location: ({ location }) => location,
  });
  const rules = { list: `offerings by ${kind}`, bounds: [5, 1000] as const, pageSize: world.pageSize };
  const { page, NextToken } = paged(matching, ({ type, location }) => `${type} ${location}`, request, rules);
  const views = page.map(({ type, location }) => ({
    InstanceType: modelled(type),
    LocationType: kind,
    Location: location,
  }));
  return { InstanceTypeOfferings: views, NextToken };
}

function locations(
  { catalog, subnets, region }: World,
  type: InstanceTypeFacts,
  kind: LocationType,
): readonly string[] {
  if (kind === 'availability-zone') return catalog.zonesOf(type);
  if (kind === 'availability-zone-id') return catalog.zonesOf(type).map((zone) => subnets.inZone(zone).zoneId);
  return kind === 'region' ? [region] : [];
}

/** The price that stands: since the beginning of the day, because AWS shows the last change before the time that is asked for. */
function describeSpotPrices(world: World, request: DescribeSpotPriceHistoryRequest): DescribeSpotPriceHistoryResult {
  const { InstanceTypes: names = [], ProductDescriptions: products = [], AvailabilityZone: zone } = request;
  refuseDryRun(request);
  const product = 'Linux/UNIX';
  const asked =
    products.length === 0 || products.some((each) => each === product || each === `${product} (Amazon VPC)`);
  const prices = world.catalog.types
    .filter(({ name }) => asked && (names.length === 0 || names.some((each) => each === name)))
    .flatMap((type) =>
      world.catalog.zones.map((each) => ({ type, zone: each, usd: world.catalog.spotUsd(type, each) })),
    )
    .filter((price) => price.usd !== undefined && (zone === undefined || zone === price.zone));
  const matching = filtered(prices, request.Filters, {
    'availability-zone': (price) => price.zone,
    'instance-type': (price) => price.type.name,
    'product-description': () => product,
  });
  const rules = { list: 'spot-prices', bounds: [1, 1000] as const, pageSize: world.pageSize };
  const { page, NextToken } = paged(matching, (price) => `${price.type.name} ${price.zone}`, request, rules);
  const Timestamp = new Date(Math.floor(world.now() / 86_400_000) * 86_400_000);
  return {
    SpotPriceHistory: page.map((price) => ({
      AvailabilityZone: price.zone,
      InstanceType: modelled(price.type.name),
      ProductDescription: product,
      SpotPrice: (price.usd ?? 0).toFixed(6),
      Timestamp,
    })),
    // EC2 answers an empty token here where there is no more.
    NextToken: NextToken ?? '',
  };
}

function describeSubnets(world: World, request: DescribeSubnetsRequest): DescribeSubnetsResult {
  const { SubnetIds: ids = [], Filters } = request;
  refuseDryRun(request);
  const known = ids.length > 0 ? ids.map((id) => world.subnets.get(id)) : world.subnets.all;
  const matching = filtered(known, Filters, {
    'availability-zone': (subnet) => subnet.zone,
    'availability-zone-id': (subnet) => subnet.zoneId,
    state: () => 'available',
    'subnet-id': (subnet) => subnet.subnetId,
    'vpc-id': () => vpcId,
  });
  const rules = { list: 'subnets', bounds: [5, 1000] as const, pageSize: world.pageSize };
  const { page, NextToken } = paged(matching, ({ subnetId }) => subnetId, request, rules);
  return {
    Subnets: page.map((subnet) => ({
      SubnetId: subnet.subnetId,
      SubnetArn: `arn:aws:ec2:${world.region}:${world.account}:subnet/${subnet.subnetId}`,
      VpcId: vpcId,
      OwnerId: world.account,
      AvailabilityZone: subnet.zone,
      AvailabilityZoneId: subnet.zoneId,
      CidrBlock: subnet.cidr,
      AvailableIpAddressCount: world.subnets.freeAddresses(subnet),
      State: 'available',
      DefaultForAz: false,
      MapPublicIpOnLaunch: false,
      Tags: [],
    })),
    NextToken,
  };
}

/** A test may sell types that AWS does not know yet. */
const modelled = (name: string): _InstanceType => name as _InstanceType;
