/** The pools that a fleet may launch from: one for each override and zone, in the order in which its allocation strategy takes them. */
import type {
  FleetLaunchTemplateConfigRequest,
  FleetLaunchTemplateOverridesRequest,
  RequestLaunchTemplateData,
} from '@aws-sdk/client-ec2';
import type { Lifecycle } from './capacity.ts';
import { Ec2Error, invalidValue, missingParameter, notBuilt } from './errors.ts';
import type { InstanceTypeFacts } from './instance-types.ts';
import { checkedType, dataOf, fromTemplate, meantSubnet, merged } from './launch-data.ts';
import type { Subnet } from './subnets.ts';
import type { World } from './world.ts';

export interface Pool {
  readonly type: InstanceTypeFacts;
  readonly subnet: Subnet;
  readonly data: RequestLaunchTemplateData;
  readonly tags: Readonly<Record<string, string>>;
  /** As it was given, for the answer. */
  readonly override: FleetLaunchTemplateOverridesRequest;
  readonly template: { readonly LaunchTemplateId: string; readonly Version: string };
  /** Of each instance, in units of the fleet's target. */
  readonly weight: number;
  readonly priority: number;
}

const maxOverrides = 300;

export function poolsOf(world: World, configs: readonly FleetLaunchTemplateConfigRequest[]): Pool[] {
  const overrides = configs.reduce((sum, { Overrides = [] }) => sum + Overrides.length, 0);
  if (overrides > maxOverrides) {
    throw new Ec2Error(
      'InvalidParameterValue',
      `There are ${overrides} overrides; at most ${maxOverrides} are allowed.`,
    );
  }
  return configs.flatMap((config, index) => {
    if (config.LaunchTemplateSpecification === undefined) {
      throw missingParameter(`LaunchTemplateConfigs.${index + 1}.LaunchTemplateSpecification`);
    }
    const template = fromTemplate(world.templates, config.LaunchTemplateSpecification);
    const reference = { LaunchTemplateId: template.id ?? '', Version: `${template.version?.version}` };
    return (config.Overrides ?? [{}]).flatMap((override) => {
      const data = merged(template.data, dataOf(override));
      const type = knownType(world, data);
      return subnetsOf(world, type, data, override).map((subnet) => ({
        type,
        subnet,
        data,
        tags: template.tags,
        override,
        template: reference,
        weight: override.WeightedCapacity ?? 1,
        priority: override.Priority ?? Number.POSITIVE_INFINITY,
      }));
    });
  });
}

function knownType(world: World, data: RequestLaunchTemplateData): InstanceTypeFacts {
  if (data.InstanceMarketOptions !== undefined) {
    throw invalidValue('LaunchTemplate', 'InstanceMarketOptions', 'A fleet says itself what is spot.');
  }
  if (data.InstanceType !== undefined && world.catalog.find(data.InstanceType) === undefined) {
    throw new Ec2Error(
      'InvalidFleetConfig',
      `Invalid: Parameter: InstanceTypes. Unsupported instancetypes specified in the batch request[${data.InstanceType}]`,
    );
  }
  return checkedType(data, world);
}

function subnetsOf(
  world: World,
  type: InstanceTypeFacts,
  data: RequestLaunchTemplateData,
  override: FleetLaunchTemplateOverridesRequest,
): readonly Subnet[] {
  if (override.AvailabilityZoneId !== undefined) throw notBuilt('AvailabilityZoneId');
  if (override.WeightedCapacity !== undefined && !(override.WeightedCapacity > 0)) {
    throw invalidValue('WeightedCapacity', override.WeightedCapacity);
  }
  if (override.SubnetId?.includes(',') === true) {
    throw invalidValue('SubnetId', override.SubnetId, 'A fleet of type instant can have one subnet in an override.');
  }
  const meant = meantSubnet(data, { subnetId: override.SubnetId, zone: override.AvailabilityZone }, world.subnets);
  return meant === undefined ? world.catalog.zonesOf(type).map((zone) => world.subnets.inZone(zone)) : [meant];
}

/** Best first. Where a strategy has no opinion, the order of the request stands. */
export function inOrder(
  world: World,
  pools: readonly Pool[],
  lifecycle: Lifecycle,
  strategy: string,
  target: number,
): Pool[] {
  const left = ({ type, subnet }: Pool): number => world.capacity.left(type.name, subnet.zone);
  const byPrice = (a: Pool, b: Pool): number => unitPrice(world, a, lifecycle) - unitPrice(world, b, lifecycle);
  const byPriority = (a: Pool, b: Pool): number => compare(a.priority, b.priority);
  /** Nobody knows how much there is of what is plenty: as much as is asked for is the best there is. */
  const byCapacity = (a: Pool, b: Pool): number => compare(Math.min(left(b), target), Math.min(left(a), target));
  const orders: Readonly<Record<string, (a: Pool, b: Pool) => number>> = {
    'lowest-price': byPrice,
    lowestPrice: byPrice,
    diversified: () => 0,
    prioritized: byPriority,
    'capacity-optimized': byCapacity,
    'capacity-optimized-prioritized': (a, b) => byCapacity(a, b) || byPriority(a, b),
    'price-capacity-optimized': (a, b) => byCapacity(a, b) || byPrice(a, b),
  };
  const order = orders[strategy];
  if (order === undefined) throw notBuilt(`AllocationStrategy ${strategy}`);
  return pools.toSorted(order);
}

const compare = (a: number, b: number): number => (a === b ? 0 : a - b);

function unitPrice({ catalog }: World, { type, subnet, weight }: Pool, lifecycle: Lifecycle): number {
  const usd = lifecycle === 'spot' ? catalog.spotUsd(type, subnet.zone) : type.onDemandUsd;
  return (usd ?? Number.MAX_VALUE) / weight;
}

/** Why nothing at all can be launched from it. */
export function closed(
  { catalog }: World,
  { type, subnet: { zone }, override }: Pool,
  lifecycle: Lifecycle,
): Ec2Error | undefined {
  if (!catalog.zonesOf(type).includes(zone)) {
    return new Ec2Error(
      'InvalidFleetConfiguration',
      `Your requested instance type (${type.name}) is not supported in your requested Availability Zone (${zone}).`,
    );
  }
  if (lifecycle === 'on-demand') return undefined;
  const price = catalog.spotUsd(type, zone);
  if (price === undefined) return new Ec2Error('Unsupported', `${type.name} is not to be had as spot in ${zone}.`);
  if (override.MaxPrice === undefined || Number(override.MaxPrice) >= price) return undefined;
  return new Ec2Error(
    'SpotMaxPriceTooLow',
    `Your Spot request price of ${override.MaxPrice} is lower than the minimum required Spot request fulfillment price of ${price}.`,
  );
}
