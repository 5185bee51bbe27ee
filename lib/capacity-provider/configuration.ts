/** What a capacity provider is made with, from the props of its construct, and what of them is refused at synth. */
import { type Duration, Token } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { compact } from '../../core/compact.ts';
import type { ProviderConfiguration } from '../../core/model/capacity-provider-configuration.ts';
import type { GantryCapacityProviderProps, GantryRange } from '../gantry-capacity-provider.ts';
import { checkWholeNumber, PropError } from '../prop-checks.ts';

/** Throws a PropError for what can never be. What is on offer is only known to who buys. */
export function checkCapacityProps(scope: Construct, props: GantryCapacityProviderProps): void {
  const { minHosts = 0, maxHosts = usualMaxHosts, maxVcpus, maxHourlyUsd, maxDraining } = props;
  const hosts = { min: 0, max: 10_000, unit: 'hosts' };
  checkWholeNumber(scope, 'minHosts', minHosts, hosts);
  checkWholeNumber(scope, 'maxHosts', maxHosts, hosts);
  if (minHosts > maxHosts) throw new PropError(scope, 'minHosts', minHosts, `at most maxHosts (${maxHosts})`);
  if (maxVcpus !== undefined) checkWholeNumber(scope, 'maxVcpus', maxVcpus, { min: 1, max: 1_000_000, unit: 'vCPUs' });
  if (maxDraining !== undefined) checkWholeNumber(scope, 'maxDraining', maxDraining, { ...hosts, min: 1 });
  if (maxHourlyUsd !== undefined && !Token.isUnresolved(maxHourlyUsd) && !(maxHourlyUsd > 0))
    throw new PropError(scope, 'maxHourlyUsd', maxHourlyUsd, 'more than 0 dollars an hour');
  for (const prop of ['instanceTypes', 'excludedInstanceTypes'] as const) checkNames(scope, prop, props[prop]);
  for (const prop of ['vcpus', 'memoryMib', 'memoryGibPerVcpu'] as const) checkRange(scope, prop, props[prop]);
  checkDuration(scope, 'idle', props.idle, 0);
  checkDuration(scope, 'join', props.join, 30);
  checkDuration(scope, 'drain', props.drain, 0);
}

/** As the API has it, which warns where it had to choose this. */
const usualMaxHosts = 10;

/** A list of none would be a provider that can never buy. */
function checkNames(scope: Construct, prop: string, names: readonly string[] | undefined): void {
  if (names?.length === 0)
    throw new PropError(scope, prop, names, 'at least one name, or left out where all that is on offer may be bought');
  const wrong = names?.find((name) => !Token.isUnresolved(name) && !/^[a-z0-9*-]+(\.[a-z0-9*-]+)?$/.test(name));
  if (wrong !== undefined)
    throw new PropError(
      scope,
      prop,
      wrong,
      'names of instance types, in which * stands for any text: m7i.large, m7i.*',
    );
}

function checkRange(scope: Construct, prop: string, range: GantryRange | undefined): void {
  if (range === undefined) return;
  const { min = 0, max = Infinity } = range;
  const known = [min, max].filter((end) => !Token.isUnresolved(end));
  if (known.some((end) => Number.isNaN(end) || end < 0) || (known.length === 2 && min > max))
    throw new PropError(scope, prop, range, 'a range from min to max, neither below 0');
}

function checkDuration(scope: Construct, prop: string, duration: Duration | undefined, least: number): void {
  if (duration !== undefined)
    checkWholeNumber(scope, prop, duration.toSeconds(), { min: least, max: 7 * 24 * 3600, unit: 'seconds' });
}

/** Only what is said, so that the API's own defaults hold for the rest; but the limit is always said. */
export function configurationOf(props: GantryCapacityProviderProps): ProviderConfiguration {
  const { instanceTypes, minHosts, maxHosts = usualMaxHosts, maxVcpus, maxHourlyUsd } = props;
  const { market, idle, join, drain, consolidation, maxDraining } = props;
  const requirements = compact({
    vCpuCount: props.vcpus,
    memoryMiB: props.memoryMib,
    memoryGiBPerVCpu: props.memoryGibPerVcpu,
    excludedInstanceTypes: props.excludedInstanceTypes && [...props.excludedInstanceTypes],
  });
  return compact({
    // ECS' form has a word for what an instance must be, and Gantry's own for the rest.
    managedInstancesProvider:
      Object.keys(requirements).length === 0
        ? undefined
        : { instanceLaunchTemplate: { instanceRequirements: requirements } },
    gantry: compact({
      offerNames: instanceTypes && [...instanceTypes],
      limits: compact({
        minHosts,
        maxHosts,
        maxCpuUnits: maxVcpus === undefined ? undefined : maxVcpus * 1024,
        maxHourlyUsd,
      }),
      policy: compact({
        market,
        idleSeconds: idle?.toSeconds(),
        joinSeconds: join?.toSeconds(),
        drainSeconds: drain?.toSeconds(),
        consolidation,
        maxDraining,
      }),
    }),
  });
}
