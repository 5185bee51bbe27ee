/** CreateFleet of type instant: as much of the target as there is, at once, from the pools in their order; the rest is told as errors. */
import {
  CreateFleet$,
  type CreateFleetError,
  type CreateFleetInstance,
  type CreateFleetRequest,
  type CreateFleetResult,
  type LaunchTemplateAndOverridesResponse,
  type TargetCapacitySpecificationRequest,
} from '@aws-sdk/client-ec2';
import type { Lifecycle } from '../capacity.ts';
import { type Ec2Error, invalidValue, missingParameter, notBuilt } from '../errors.ts';
import { closed, inOrder, type Pool, poolsOf } from '../fleet-pools.ts';
import type { Ec2Instance } from '../instances.ts';
import { merged } from '../launch-data.ts';
import type { World } from '../world.ts';
import { type Operation, operation, refuseDryRun } from './operation.ts';

export const createFleet = (world: World): Operation =>
  operation(CreateFleet$, (request: CreateFleetRequest) => {
    const again = (answer: CreateFleetResult): CreateFleetResult =>
      world.terseRepeats ? { FleetId: answer.FleetId, Errors: [], Instances: [] } : answer;
    return world.tokens.once({ scope: 'CreateFleet', again }, request, () => run(world, request));
  });

interface Share {
  readonly lifecycle: Lifecycle;
  readonly target: number;
  readonly strategy: string;
}

function run(world: World, request: CreateFleetRequest): CreateFleetResult {
  refuseUnknown(request);
  const shares = sharesOf(request);
  const configs = request.LaunchTemplateConfigs ?? [];
  if (configs.length === 0) throw missingParameter('LaunchTemplateConfigs');
  const pools = poolsOf(world, configs);
  refuseDryRun(request);
  const fleetId = world.ids.fleet();
  const Errors: CreateFleetError[] = [];
  const Instances: CreateFleetInstance[] = [];
  for (const share of shares) {
    const found = fill(world, pools, share, { fleetId, tagSpecifications: request.TagSpecifications ?? [] });
    Errors.push(...found.errors);
    Instances.push(...found.instances);
  }
  const answer = { FleetId: fleetId, Errors, Instances };
  world.fleets.set(fleetId, { request, answer, createdAt: world.now() });
  return answer;
}

/** What would change the outcome, and is not built. */
function refuseUnknown({ Type = 'maintain', SpotOptions, OnDemandOptions, ...request }: CreateFleetRequest): void {
  if (Type !== 'instant') throw notBuilt(`A fleet of type ${Type}`);
  const others = {
    ReservedCapacityOptions: request.ReservedCapacityOptions,
    ValidFrom: request.ValidFrom,
    ValidUntil: request.ValidUntil,
    'SpotOptions.MaintenanceStrategies': SpotOptions?.MaintenanceStrategies,
    'SpotOptions.InstancePoolsToUseCount': SpotOptions?.InstancePoolsToUseCount,
    ...bounds('SpotOptions', SpotOptions),
    'OnDemandOptions.CapacityReservationOptions': OnDemandOptions?.CapacityReservationOptions,
    ...bounds('OnDemandOptions', OnDemandOptions),
  };
  const unknown = Object.entries(others).find(([, value]) => value !== undefined);
  if (unknown !== undefined) throw notBuilt(unknown[0]);
}

interface Bounds {
  readonly SingleInstanceType?: boolean | undefined;
  readonly SingleAvailabilityZone?: boolean | undefined;
  readonly MinTargetCapacity?: number | undefined;
  readonly MaxTotalPrice?: string | undefined;
}

const bounds = (name: string, options: Bounds = {}): Record<string, unknown> => ({
  [`${name}.SingleInstanceType`]: options.SingleInstanceType,
  [`${name}.SingleAvailabilityZone`]: options.SingleAvailabilityZone,
  [`${name}.MinTargetCapacity`]: options.MinTargetCapacity,
  [`${name}.MaxTotalPrice`]: options.MaxTotalPrice,
});

/** What of the target is on demand and what is spot; what neither says is of the default type. */
function sharesOf({ TargetCapacitySpecification: target, SpotOptions, OnDemandOptions }: CreateFleetRequest): Share[] {
  if (target === undefined) throw missingParameter('TargetCapacitySpecification');
  const total = checkedTotal(target);
  const byDefault: Lifecycle = target.DefaultTargetCapacityType === 'spot' ? 'spot' : 'on-demand';
  const { OnDemandTargetCapacity: onDemand = 0, SpotTargetCapacity: spot = 0 } = target;
  const rest = total - onDemand - spot;
  const shares: Share[] = [
    {
      lifecycle: 'on-demand',
      target: onDemand + (byDefault === 'on-demand' ? rest : 0),
      strategy: OnDemandOptions?.AllocationStrategy ?? 'lowest-price',
    },
    {
      lifecycle: 'spot',
      target: spot + (byDefault === 'spot' ? rest : 0),
      strategy: SpotOptions?.AllocationStrategy ?? 'lowest-price',
    },
  ];
  return shares.filter((share) => share.target > 0);
}

function checkedTotal(target: TargetCapacitySpecificationRequest): number {
  const { TotalTargetCapacity: total = 0, OnDemandTargetCapacity: onDemand = 0, SpotTargetCapacity: spot = 0 } = target;
  for (const [name, value] of Object.entries({
    TotalTargetCapacity: total,
    OnDemandTargetCapacity: onDemand,
    SpotTargetCapacity: spot,
  })) {
    if (!Number.isInteger(value) || value < 0) throw invalidValue(`TargetCapacitySpecification.${name}`, value);
  }
  if (total === 0)
    throw invalidValue('TargetCapacitySpecification.TotalTargetCapacity', 0, 'An instant fleet needs a target.');
  if (onDemand + spot > total) {
    throw invalidValue(
      'TargetCapacitySpecification.TotalTargetCapacity',
      total,
      `On demand and spot are ${onDemand + spot}.`,
    );
  }
  if (target.TargetCapacityUnitType !== undefined && target.TargetCapacityUnitType !== 'units') {
    throw notBuilt(`TargetCapacityUnitType ${target.TargetCapacityUnitType}`);
  }
  return total;
}

interface Origin {
  readonly fleetId: string;
  readonly tagSpecifications: NonNullable<CreateFleetRequest['TagSpecifications']>;
}

function fill(world: World, pools: readonly Pool[], share: Share, fleet: Origin) {
  const { lifecycle, target, strategy } = share;
  const errors: CreateFleetError[] = [];
  const launched: { pool: Pool; instances: Ec2Instance[] }[] = [];
  const tried = inOrder(world, pools, lifecycle, strategy, target);
  let open = target;
  for (const [index, pool] of tried.entries()) {
    if (open <= 0) break;
    const share = strategy === 'diversified' ? open / (tried.length - index) : open;
    const wanted = Math.ceil(share / pool.weight);
    const { instances, shortage } = launchFrom(world, pool, lifecycle, wanted, fleet);
    open -= instances.length * pool.weight;
    if (instances.length > 0) launched.push({ pool, instances });
    if (shortage !== undefined) errors.push(errorView(pool, lifecycle, shortage));
  }
  return { errors, instances: launched.map(({ pool, instances }) => launchedView(pool, lifecycle, instances)) };
}

function launchFrom(
  world: World,
  pool: Pool,
  lifecycle: Lifecycle,
  wanted: number,
  { fleetId, tagSpecifications }: Origin,
): { instances: Ec2Instance[]; shortage: Ec2Error | undefined } {
  const refusal = closed(world, pool, lifecycle);
  if (refusal !== undefined) return { instances: [], shortage: refusal };
  const { type, subnet } = pool;
  const { count, shortage } = world.launcher.room(type, subnet, lifecycle, wanted);
  if (count === 0) return { instances: [], shortage };
  const data = merged(pool.data, { TagSpecifications: tagSpecifications });
  const tags = { ...pool.tags, 'aws:ec2:fleet-id': fleetId };
  // Of EC2's own: a fleet's client token is not that of its instances.
  const clientToken = `${fleetId}-${subnet.zone}-${type.name}`;
  return {
    instances: world.launcher.launch({ type, subnet, lifecycle, data, tags, clientToken, fleetId }, count),
    shortage,
  };
}

const launchedView = (pool: Pool, Lifecycle: Lifecycle, instances: readonly Ec2Instance[]): CreateFleetInstance => ({
  LaunchTemplateAndOverrides: templateView(pool),
  Lifecycle,
  InstanceIds: instances.map(({ instanceId }) => instanceId),
  InstanceType: pool.type.name as NonNullable<CreateFleetInstance['InstanceType']>,
  AvailabilityZone: pool.subnet.zone,
  SubnetId: pool.subnet.subnetId,
});

const errorView = (pool: Pool, Lifecycle: Lifecycle, { code, message }: Ec2Error): CreateFleetError => ({
  LaunchTemplateAndOverrides: templateView(pool),
  Lifecycle,
  ErrorCode: code,
  ErrorMessage: message,
});

const templateView = ({ template, override }: Pool): LaunchTemplateAndOverridesResponse => ({
  LaunchTemplateSpecification: template,
  Overrides: override,
});
