/**
 * An order as a request to EC2. The same order with the same supply is the same request: EC2 refuses a client token that comes back with
 * another. Pure.
 */
import type { CreateFleetCommandInput, RunInstancesCommandInput } from '@aws-sdk/client-ec2';
import type { Offer, Order } from '../../../core/model/capacity.ts';
import { fleetTags } from '../../../core/model/fleet-tags.ts';
import type { HostSupply } from '../../../core/model/host-supply.ts';
import type { LaunchFault } from '../fleet.ts';

export type Architecture = Offer['architecture'];

/** One type in one zone. */
export interface Choice {
  readonly offer: string;
  readonly zone: string;
  readonly subnetId: string;
  readonly architecture: Architecture;
  readonly template: { readonly id: string; readonly version: string };
  /** Less is better. */
  readonly priority: number;
}

export interface Choices {
  readonly possible: readonly Choice[];
  /** What the cluster's supply leaves out. */
  readonly faults: readonly LaunchFault[];
}

/** EC2 takes no more in one request. */
const mostOverrides = 300;

/** Best first. An offer whose architecture is not known is left to EC2 to refuse. */
export function choicesFor(
  { offers, cluster }: Order,
  { launchTemplates, subnets }: HostSupply,
  architectures: ReadonlyMap<string, Architecture>,
): Choices {
  const possible: Choice[] = [];
  const faults: LaunchFault[] = [];
  for (const [priority, { name: offer, zones }] of offers.entries())
    for (const zone of zones) {
      const subnetId = subnets[zone];
      const architecture = architectures.get(offer);
      const template = architecture === undefined ? undefined : launchTemplates[architecture];
      if (subnetId !== undefined && architecture !== undefined && template !== undefined) {
        possible.push({ offer, zone, subnetId, architecture, template, priority });
        continue;
      }
      const lack =
        subnetId === undefined
          ? `no subnet in ${zone}`
          : `no launch template for ${architecture ?? `what ${offer} is`}`;
      faults.push({ kind: 'no-capacity', offer, zone, message: `The hosts of the cluster ${cluster} have ${lack}.` });
    }
  return { possible: possible.slice(0, mostOverrides), faults };
}

export function runInstances(order: Order, choice: Choice, controlPlane: string): RunInstancesCommandInput {
  return {
    ClientToken: order.id,
    // As many as there are.
    MinCount: 1,
    MaxCount: order.count,
    LaunchTemplate: { LaunchTemplateId: choice.template.id, Version: choice.template.version },
    InstanceType: typeOf(choice),
    SubnetId: choice.subnetId,
    ...(order.market === 'spot' && {
      InstanceMarketOptions: {
        MarketType: 'spot',
        SpotOptions: { SpotInstanceType: 'one-time', InstanceInterruptionBehavior: 'terminate' },
      },
    }),
    TagSpecifications: tagsOn(['instance', 'volume'], order, controlPlane),
  };
}

export function createFleet(order: Order, choices: readonly Choice[], controlPlane: string): CreateFleetCommandInput {
  const isSpot = order.market === 'spot';
  const templates = [...new Map(choices.map(({ template }) => [template.id, template])).values()];
  return {
    ClientToken: order.id,
    Type: 'instant',
    TargetCapacitySpecification: { TotalTargetCapacity: order.count, DefaultTargetCapacityType: order.market },
    // Of spot, what is least likely to be taken back counts more than our order among what costs nearly the same.
    ...(isSpot
      ? { SpotOptions: { AllocationStrategy: 'price-capacity-optimized' } }
      : { OnDemandOptions: { AllocationStrategy: 'prioritized' } }),
    LaunchTemplateConfigs: templates.map(({ id, version }) => ({
      LaunchTemplateSpecification: { LaunchTemplateId: id, Version: version },
      Overrides: choices
        .filter(({ template }) => template.id === id)
        .map((choice) => ({
          InstanceType: typeOf(choice),
          SubnetId: choice.subnetId,
          // The subnet says so already; answers and errors name it only where it was said.
          AvailabilityZone: choice.zone,
          ...(!isSpot && { Priority: choice.priority }),
        })),
    })),
    TagSpecifications: tagsOn(['fleet', 'instance', 'volume'], order, controlPlane),
  };
}

type InstanceType = NonNullable<RunInstancesCommandInput['InstanceType']>;

/** Types appear faster than SDKs do: EC2 judges the name. */
const isInstanceType = (name: string): name is InstanceType => name !== '';

function typeOf({ offer }: Choice): InstanceType {
  if (!isInstanceType(offer)) throw new Error('An order names an instance type that is empty.');
  return offer;
}

type Tagged = 'fleet' | 'instance' | 'volume';

const tagsOn = (types: readonly Tagged[], order: Order, controlPlane: string) =>
  types.map((ResourceType) => ({ ResourceType, Tags: tagsOf(order, controlPlane) }));

const tagsOf = ({ id, cluster, provider }: Order, controlPlane: string) =>
  Object.entries({
    Name: `gantry-${cluster}`,
    [fleetTags.order]: id,
    [fleetTags.cluster]: cluster,
    [fleetTags.provider]: provider,
    [fleetTags.controlPlane]: controlPlane,
  }).map(([Key, Value]) => ({ Key, Value }));
