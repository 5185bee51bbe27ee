/**
 * A capacity provider's limits, policy and wish for offers, from what its caller wrote. Throws on the first thing wrong, naming the
 * member. Knows neither store nor fleet.
 */
import { compact } from '../compact.ts';
import { GantryError } from '../errors.ts';
import type { CapacityProvider } from './capacity.ts';
import {
  type InstanceRequirements,
  type ProviderConfiguration,
  providerConfigurationSchema,
} from './capacity-provider-configuration.ts';
import { capacityProviderFields } from './capacity-provider-fields.ts';
import { type CapacityLimits, type CapacityPolicy, capacityPolicySchema } from './capacity-settings.ts';
import { namePattern } from './cluster.ts';
import { checkLength, clientFault, parameterFault } from './faults.ts';
import { fieldWarnings, refuseFields } from './field-rules.ts';

/** ECS has no limit here: somebody who says nothing shall not pay for hundreds of hosts. */
const usualMaxHosts = 10;

type ProviderRules = Pick<CapacityProvider, 'configuration' | 'offers' | 'limits' | 'policy'>;

/** `before`: what it was made with, of which what is not given stays. */
export function providerRules(given: ProviderConfiguration, before: ProviderConfiguration = {}): ProviderRules {
  refuseFields(capacityProviderFields, given);
  // Without what the table has just found to ask for nothing.
  const configuration = merged(before, providerConfigurationSchema.parse(given));
  const { autoScalingGroupProvider, managedInstancesProvider, gantry } = configuration;
  if (autoScalingGroupProvider !== undefined && managedInstancesProvider !== undefined)
    throw clientFault(
      'managedInstancesProvider',
      'A capacity provider can have an Auto Scaling group provider or a Managed Instances provider, but not both.',
    );
  if (autoScalingGroupProvider === undefined && managedInstancesProvider === undefined && gantry === undefined)
    throw parameterFault(
      'gantry',
      'autoScalingGroupProvider, managedInstancesProvider or gantry must be given.',
      'With `"gantry": {}` it may buy all that is on offer.',
    );
  return {
    configuration,
    offers: offersOf(configuration),
    limits: limitsOf(configuration),
    policy: policyOf(configuration),
  };
}

/** What of it is recorded only, and what was chosen where nothing was said: a sentence each. */
export function providerWarnings(given: ProviderConfiguration, { limits, configuration }: ProviderRules): string[] {
  const chosen = configuration.gantry?.limits?.maxHosts === undefined && limits.maxHosts > 0;
  return [
    ...fieldWarnings(capacityProviderFields, given),
    ...(chosen
      ? [`gantry.limits.maxHosts: ${limits.maxHosts} where nothing is said. It buys no more hosts than that.`]
      : []),
  ];
}

export function checkProviderName(name: string): void {
  if (!namePattern.test(name))
    throw parameterFault('name', 'name must be 1 to 255 letters, digits, hyphens and underscores.');
  if (/^(aws|ecs|fargate)/i.test(name))
    throw parameterFault(
      'name',
      'The capacity provider name cannot begin with aws, ecs or fargate.',
      'Choose another name.',
    );
}

/** Of a launch template each member is replaced for itself, as ECS has it; `limits` and `policy` likewise. */
function merged(before: ProviderConfiguration, given: ProviderConfiguration): ProviderConfiguration {
  const { autoScalingGroupProvider: group, managedInstancesProvider: managed, gantry } = given;
  const template = managed?.instanceLaunchTemplate;
  return compact({
    autoScalingGroupProvider: group && { ...before.autoScalingGroupProvider, ...group },
    managedInstancesProvider: managed && {
      ...before.managedInstancesProvider,
      ...managed,
      ...(template && {
        instanceLaunchTemplate: { ...before.managedInstancesProvider?.instanceLaunchTemplate, ...template },
      }),
    },
    gantry: gantry && {
      ...before.gantry,
      ...gantry,
      ...(gantry.limits && { limits: { ...before.gantry?.limits, ...gantry.limits } }),
      ...(gantry.policy && { policy: { ...before.gantry?.policy, ...gantry.policy } }),
    },
    ...absentFrom(given, before),
  });
}

const absentFrom = (given: ProviderConfiguration, before: ProviderConfiguration): ProviderConfiguration =>
  Object.fromEntries(Object.entries(before).filter(([kind]) => !Object.hasOwn(given, kind)));

function limitsOf({ autoScalingGroupProvider, gantry }: ProviderConfiguration): CapacityLimits {
  const status = autoScalingGroupProvider?.managedScaling?.status;
  if (status !== undefined && status !== 'ENABLED' && status !== 'DISABLED') {
    const field = 'autoScalingGroupProvider.managedScaling.status';
    throw parameterFault(field, `${field} must be ENABLED or DISABLED; it is "${status}".`);
  }
  const { minHosts = 0, maxHosts = status === 'DISABLED' ? 0 : usualMaxHosts, ...most } = gantry?.limits ?? {};
  if (minHosts > maxHosts)
    throw parameterFault(
      'gantry.limits.minHosts',
      `gantry.limits.minHosts (${minHosts}) is more than maxHosts (${maxHosts}).`,
      'No number of hosts satisfies both.',
    );
  return { minHosts, maxHosts, ...compact(most) };
}

function policyOf({ managedInstancesProvider: managed, gantry }: ProviderConfiguration): CapacityPolicy {
  return capacityPolicySchema.parse({
    ...marketOf(managed?.instanceLaunchTemplate?.capacityOptionType),
    ...idleOf(managed?.infrastructureOptimization?.scaleInAfter),
    ...gantry?.policy,
  });
}

const optionField = 'managedInstancesProvider.instanceLaunchTemplate.capacityOptionType';

function marketOf(option: string | undefined): Partial<CapacityPolicy> {
  if (option === undefined || option === 'ON_DEMAND') return {};
  if (option === 'SPOT') return { market: 'spot' };
  if (option === 'RESERVED')
    throw new GantryError('ClientException', `${optionField} RESERVED is not supported yet.`, {
      field: optionField,
      hint: 'Use ON_DEMAND or SPOT.',
    });
  throw parameterFault(optionField, `${optionField} must be ON_DEMAND or SPOT; it is "${option}".`);
}

function idleOf(scaleInAfter: number | undefined): Partial<CapacityPolicy> {
  if (scaleInAfter === undefined) return {};
  const field = 'managedInstancesProvider.infrastructureOptimization.scaleInAfter';
  if (scaleInAfter < -1 || scaleInAfter > 3600)
    throw parameterFault(field, `${field} must be -1, or between 0 and 3600; it is ${scaleInAfter}.`);
  return scaleInAfter === -1 ? { consolidation: 'off' } : { idleSeconds: scaleInAfter };
}

function offersOf({ managedInstancesProvider, gantry }: ProviderConfiguration): CapacityProvider['offers'] {
  const requirements = managedInstancesProvider?.instanceLaunchTemplate?.instanceRequirements ?? {};
  const path = 'managedInstancesProvider.instanceLaunchTemplate.instanceRequirements';
  for (const member of ['allowedInstanceTypes', 'excludedInstanceTypes'] as const)
    checkLength(parameterFault, `${path}.${member}`, requirements[member] ?? [], [0, mostNames]);
  for (const member of ['vCpuCount', 'memoryMiB', 'memoryGiBPerVCpu'] as const)
    checkRange(`${path}.${member}`, requirements[member]);
  return compact({
    names: checkedNames('gantry.offerNames', gantry?.offerNames) ?? requirements.allowedInstanceTypes,
    exceptNames: requirements.excludedInstanceTypes,
    vcpus: requirements.vCpuCount,
    memoryMib: requirements.memoryMiB,
    memoryGibPerVcpu: requirements.memoryGiBPerVCpu,
  });
}

function checkRange(field: string, range: InstanceRequirements['vCpuCount']): void {
  const { min = 0, max = Infinity } = range ?? {};
  if (min > max) throw parameterFault(`${field}.min`, `${field}.min (${min}) is more than max (${max}).`);
}

/** ECS' own limit of instance types. */
const mostNames = 400;

/** A list of none would be a provider that can never buy. */
function checkedNames(field: string, names: readonly string[] | undefined): string[] | undefined {
  if (names?.length === 0)
    throw parameterFault(field, `${field} is empty.`, 'Leave it out where all that is on offer may be bought.');
  checkLength(parameterFault, field, names ?? [], [0, mostNames]);
  return names && [...names];
}
