/** RunInstances: one type in one zone, at least `MinCount` of it or none. */
import { type Reservation, RunInstances$, type RunInstancesRequest } from '@aws-sdk/client-ec2';
import type { Lifecycle } from '../capacity.ts';
import { Ec2Error, insufficientCapacity, invalidValue, notBuilt } from '../errors.ts';
import type { InstanceTypeFacts } from '../instance-types.ts';
import { checkedType, dataOf, fromTemplate, meantSubnet, merged } from '../launch-data.ts';
import type { Subnet } from '../subnets.ts';
import type { World } from '../world.ts';
import { instanceView } from './instance-view.ts';
import { type Operation, operation, refuseDryRun } from './operation.ts';

export const runInstances = (world: World): Operation =>
  operation(RunInstances$, (request: RunInstancesRequest) => {
    checkCounts(request);
    const again = (answer: Reservation): Reservation => unlessEnded(world, answer);
    return world.tokens.once({ scope: scopeOf(world, request), again }, request, () => run(world, request));
  });

/** Where a request names a zone, by itself or by a subnet, its token counts in that zone alone: in another, it is another request. */
function scopeOf({ subnets }: World, { SubnetId, Placement }: RunInstancesRequest): string {
  const zone = SubnetId === undefined ? Placement?.AvailabilityZone : subnets.get(SubnetId).zone;
  return zone === undefined ? 'RunInstances' : `RunInstances in ${zone}`;
}

/** EC2 has refused these since 2025, whatever it says of idempotency (boto/boto3#4406). */
function unlessEnded({ instances }: World, answer: Reservation): Reservation {
  const ids = (answer.Instances ?? []).map(({ InstanceId }) => InstanceId);
  const isThere = instances.all.some(({ instanceId, state }) => ids.includes(instanceId) && state !== 'terminated');
  if (isThere) return answer;
  throw new Ec2Error(
    'IdempotentInstanceTerminated',
    'The client token you have provided is associated with a terminated instance. Please use a different client token.',
  );
}

function run(world: World, request: RunInstancesRequest): Reservation {
  const { catalog, launcher } = world;
  const template = fromTemplate(world.templates, request.LaunchTemplate);
  const data = merged(template.data, dataOf(request));
  const type = checkedType(data, world);
  if (data.NetworkInterfaces !== undefined && request.SubnetId !== undefined) {
    throw new Ec2Error(
      'InvalidParameterCombination',
      'Network interfaces and an instance-level subnet ID may not be specified on the same request',
    );
  }
  const lifecycle = lifecycleOf(data.InstanceMarketOptions?.MarketType);
  const meant = meantSubnet(data, { subnetId: request.SubnetId }, world.subnets);
  if (meant !== undefined) catalog.requireInZone(type, meant.zone);
  const subnet = meant ?? anySubnet(world, type, lifecycle, request.MinCount ?? 1);
  requireSpotPrice(world, type, subnet.zone, lifecycle, data.InstanceMarketOptions?.SpotOptions?.MaxPrice);

  const { count, shortage } = launcher.room(type, subnet, lifecycle, request.MaxCount ?? 1);
  if (shortage !== undefined && count < (request.MinCount ?? 1)) throw shortage;
  refuseDryRun(request);
  const clientToken = request.ClientToken ?? '';
  const instances = launcher.launch({ type, subnet, lifecycle, data, tags: template.tags, clientToken }, count);
  return {
    ReservationId: instances[0]?.reservationId,
    OwnerId: world.account,
    Groups: [],
    Instances: instances.map(instanceView),
  };
}

function checkCounts({ MinCount = 0, MaxCount = 0 }: RunInstancesRequest): void {
  if (!Number.isInteger(MinCount) || MinCount < 1) throw invalidValue('MinCount', MinCount, 'It must be at least 1.');
  if (!Number.isInteger(MaxCount) || MaxCount < MinCount) {
    throw invalidValue('MaxCount', MaxCount, 'It must not be less than MinCount.');
  }
}

function lifecycleOf(market: string | undefined): Lifecycle {
  if (market !== undefined && market !== 'spot') throw notBuilt(`MarketType ${market}`);
  return market ?? 'on-demand';
}

/** Where none is meant, the first zone that has enough. */
function anySubnet(world: World, type: InstanceTypeFacts, lifecycle: Lifecycle, count: number): Subnet {
  const subnets = world.catalog.zonesOf(type).map((zone) => world.subnets.inZone(zone));
  const rooms = subnets.map((subnet) => ({ subnet, ...world.launcher.room(type, subnet, lifecycle, count) }));
  const enough = rooms.find((room) => room.count >= count);
  if (enough !== undefined) return enough.subnet;
  const limit = rooms.find(
    ({ shortage }) => shortage !== undefined && shortage.code !== 'InsufficientInstanceCapacity',
  );
  throw limit?.shortage ?? insufficientCapacity(type.name, undefined, []);
}

function requireSpotPrice(
  { catalog }: World,
  type: InstanceTypeFacts,
  zone: string,
  lifecycle: Lifecycle,
  maxPrice: string | undefined,
): void {
  if (lifecycle !== 'spot') return;
  const price = catalog.spotUsd(type, zone);
  if (price === undefined) throw new Ec2Error('Unsupported', `${type.name} is not to be had as spot in ${zone}.`);
  if (maxPrice !== undefined && Number(maxPrice) < price) {
    throw new Ec2Error(
      'SpotMaxPriceTooLow',
      `Your Spot request price of ${maxPrice} is lower than the minimum required Spot request fulfillment price of ${price}.`,
    );
  }
}
