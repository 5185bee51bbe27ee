/** Every member of ECS' CreateCapacityProvider and UpdateCapacityProvider, and of ours, with what becomes of it (see fields.ts). */
import type { Field, FieldTable } from './field-table.ts';

const honoured = (says: string): Field => ({ class: 'honoured', says });
const recorded = (says: string): Field => ({ class: 'recorded', says });
const refused = (says: string): Field => ({ class: 'refused', says });

const noGroup = 'Gantry buys the hosts itself and asks no Auto Scaling group.';
const fromStack = 'Hosts are launched from the launch template of the stack, which says this.';
const byName = 'Name the instance types in allowedInstanceTypes.';

const template = 'managedInstancesProvider.instanceLaunchTemplate';
const requirements = `${template}.instanceRequirements`;

export const capacityProviderFields: FieldTable = {
  name: honoured('1 to 255 letters, digits, hyphens and underscores; not beginning with aws, ecs or fargate.'),
  cluster: honoured('The one cluster that may use it, which it is added to; any cluster where absent.'),
  tags: recorded('Stored with the capacity provider and answered.'),
  'gantry.offerNames': honoured('Not of ECS: which offers it may buy; `*` stands for any text.'),
  'gantry.limits': honoured('Not of ECS: how many hosts, CPU units and dollars an hour, in each cluster that uses it.'),
  'gantry.policy': honoured('Not of ECS: market, how long a host stays empty, how it drains and consolidates.'),
  'autoScalingGroupProvider.autoScalingGroupArn': recorded(noGroup),
  'autoScalingGroupProvider.managedScaling.status': honoured('`DISABLED`: it buys nothing.'),
  'autoScalingGroupProvider.managedScaling.targetCapacity': recorded(
    'Hosts are bought for tasks that wait, and none in reserve: gantry.limits.minHosts keeps some.',
  ),
  'autoScalingGroupProvider.managedScaling.minimumScalingStepSize': recorded('Hosts are bought for tasks that wait.'),
  'autoScalingGroupProvider.managedScaling.maximumScalingStepSize': recorded('Hosts are bought for tasks that wait.'),
  'autoScalingGroupProvider.managedScaling.instanceWarmupPeriod': recorded(
    'A host takes tasks as soon as it has joined.',
  ),
  'autoScalingGroupProvider.managedTerminationProtection': recorded(
    'A host that has tasks is never ended before it drained.',
  ),
  'autoScalingGroupProvider.managedDraining': recorded('Every host drains before it ends.'),
  'managedInstancesProvider.infrastructureRoleArn': recorded('The control plane launches hosts with its own role.'),
  'managedInstancesProvider.propagateTags': recorded('Instances carry the tags of their purchase.'),
  'managedInstancesProvider.infrastructureOptimization.scaleInAfter': honoured(
    'How many seconds a host stays empty; -1: hosts stay.',
  ),
  'managedInstancesProvider.autoRepairConfiguration': recorded(
    'A host that does not join, or falls silent, is replaced anyway.',
  ),
  [`${template}.ec2InstanceProfileArn`]: recorded(fromStack),
  [`${template}.networkConfiguration`]: recorded(fromStack),
  [`${template}.monitoring`]: recorded(fromStack),
  [`${template}.instanceMetadataTagsPropagation`]: recorded(fromStack),
  [`${template}.capacityOptionType`]: honoured('`ON_DEMAND` (where absent) or `SPOT`.'),
  [`${requirements}.vCpuCount`]: honoured('Offers with as many.'),
  [`${requirements}.memoryMiB`]: honoured('Offers with as much.'),
  [`${requirements}.memoryGiBPerVCpu`]: honoured('Offers with as much.'),
  [`${requirements}.allowedInstanceTypes`]: honoured('These offers only; `*` stands for any text.'),
  [`${requirements}.excludedInstanceTypes`]: honoured('Never these offers; `*` stands for any text.'),
  [`${template}.storageConfiguration`]: refused(fromStack),
  [`${template}.localStorageConfiguration`]: refused(fromStack),
  [`${template}.fipsEnabled`]: refused('Use an image of yours in the launch template of the stack.'),
  [`${template}.capacityReservations`]: refused('Hosts are bought on demand or as spot.'),
  ...Object.fromEntries(
    [
      'cpuManufacturers',
      'instanceGenerations',
      'spotMaxPricePercentageOverLowestPrice',
      'onDemandMaxPricePercentageOverLowestPrice',
      'maxSpotPriceAsPercentageOfOptimalOnDemandPrice',
      'bareMetal',
      'burstablePerformance',
      'requireHibernateSupport',
      'networkInterfaceCount',
      'localStorage',
      'localStorageTypes',
      'totalLocalStorageGB',
      'baselineEbsBandwidthMbps',
      'acceleratorTypes',
      'acceleratorCount',
      'acceleratorManufacturers',
      'acceleratorNames',
      'acceleratorTotalMemoryMiB',
      'networkBandwidthGbps',
    ].map((name) => [`${requirements}.${name}`, refused(byName)]),
  ),
};
