/** What EC2 answers to a launch, as the port has it. Pure. */
import type { CreateFleetError, CreateFleetInstance, Instance } from '@aws-sdk/client-ec2';
import type { FleetInstance, LaunchedInstance, LaunchFault, LaunchOutcome } from '../fleet.ts';
import { meaningOfPart, worded } from './errors.ts';
import type { Choice } from './requests.ts';

/** Both what CreateFleet and what DescribeFleets says of a fleet. */
export interface FleetAnswer {
  readonly Instances?:
    | readonly Pick<CreateFleetInstance, 'InstanceIds' | 'InstanceType' | 'LaunchTemplateAndOverrides'>[]
    | undefined;
  readonly Errors?:
    | readonly Pick<CreateFleetError, 'ErrorCode' | 'ErrorMessage' | 'LaunchTemplateAndOverrides'>[]
    | undefined;
}

export const saysNothing = ({ Instances = [], Errors = [] }: FleetAnswer): boolean =>
  Instances.length + Errors.length === 0;

export function fleetOutcome(
  { Instances = [], Errors = [] }: FleetAnswer,
  choices: readonly Choice[],
  count: number,
): LaunchOutcome {
  const instances = Instances.flatMap(({ InstanceIds = [], InstanceType, LaunchTemplateAndOverrides }) => {
    const { offer, zone } = placeOf(LaunchTemplateAndOverrides, choices);
    return InstanceIds.map((instanceId) => ({ instanceId, offer: InstanceType ?? offer, zone }));
  });
  const faults = Errors.map(({ ErrorCode = '', ErrorMessage = '', LaunchTemplateAndOverrides }): LaunchFault => {
    const kind = meaningOfPart(ErrorCode);
    const message = worded(ErrorCode, ErrorMessage);
    return kind === 'no-capacity'
      ? { kind, ...placeOf(LaunchTemplateAndOverrides, choices), message }
      : { kind, message };
  });
  if (faults.length === 0 && instances.length < count) faults.push(...shortfall(choices, instances.length, count));
  return { instances, faults: distinct(faults) };
}

export function reservationOutcome(instances: readonly Instance[], choice: Choice, count: number): LaunchOutcome {
  const launched = instances.flatMap(({ InstanceId }) =>
    InstanceId === undefined ? [] : [{ instanceId: InstanceId, offer: choice.offer, zone: choice.zone }],
  );
  return { instances: launched, faults: launched.length < count ? shortfall([choice], launched.length, count) : [] };
}

/** EC2 launches fewer where there are no more, and does not always say so. */
const shortfall = (choices: readonly Choice[], launched: number, count: number): LaunchFault[] =>
  choices.map(({ offer, zone }) => ({
    kind: 'no-capacity',
    offer,
    zone,
    message: `EC2 launched ${launched} of ${count} and does not say why not more.`,
  }));

type Place = CreateFleetError['LaunchTemplateAndOverrides'];

function placeOf(place: Place, choices: readonly Choice[]): Pick<LaunchedInstance, 'offer' | 'zone'> {
  const { InstanceType = '', SubnetId, AvailabilityZone } = place?.Overrides ?? {};
  const zone = AvailabilityZone ?? choices.find(({ subnetId }) => subnetId === SubnetId)?.zone ?? '';
  return { offer: InstanceType, zone };
}

const distinct = (faults: readonly LaunchFault[]): LaunchFault[] => [
  ...new Map(faults.map((fault) => [JSON.stringify(fault), fault])).values(),
];

/** undefined where it has no order: it is none of ours. */
export function instanceOf(instance: Instance, orderTag: string): FleetInstance | undefined {
  const { InstanceId, InstanceType = '', Placement, LaunchTime, State, Tags = [] } = instance;
  const orderId = Tags.find(({ Key }) => Key === orderTag)?.Value;
  if (InstanceId === undefined || orderId === undefined || LaunchTime === undefined) return undefined;
  return {
    instanceId: InstanceId,
    offer: InstanceType,
    zone: Placement?.AvailabilityZone ?? '',
    orderId,
    state: states[State?.Name ?? 'pending'],
    launchedAt: LaunchTime.getTime(),
  };
}

type StateName = NonNullable<NonNullable<Instance['State']>['Name']>;

/** Nobody of ours stops an instance: one that is stopped runs nothing, and is paid for until it is ended. */
const states: Readonly<Record<StateName, FleetInstance['state']>> = {
  pending: 'pending',
  running: 'running',
  'shutting-down': 'ending',
  stopping: 'ending',
  stopped: 'ending',
  terminated: 'ended',
};
