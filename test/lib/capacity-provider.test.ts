/** The construct of a capacity provider: what it asks the control plane for, in which order, and what it refuses at synth. */
import { Duration, Stack } from 'aws-cdk-lib';
import { describe, expect, it } from 'vitest';
import { providerConfigurationSchema } from '../../core/model/capacity-provider-configuration.ts';
import { providerRules } from '../../core/model/capacity-provider-rules.ts';
import { GantryCapacityProvider, type GantryCapacityProviderProps } from '../../lib/gantry-capacity-provider.ts';
import { makeCluster, propertiesOf } from './support/cluster.ts';

type Props = Omit<GantryCapacityProviderProps, 'cluster'>;

function make(props: Props, id = 'Pool') {
  const { template } = makeCluster({}, (cluster, stack) => {
    new GantryCapacityProvider(stack, id, { cluster, ...props });
  });
  const [[logicalId, properties] = expect.fail()] = Object.entries(
    propertiesOf(template, 'Custom::GantryCapacityProvider'),
  );
  const rules = () => providerRules(providerConfigurationSchema.parse(JSON.parse(String(properties.Configuration))));
  return { template, logicalId, properties, rules };
}

describe('a capacity provider', () => {
  it('buys what is cheapest, from none to ten hosts, where nothing is said', () => {
    const { properties, rules } = make({});
    expect(properties).toMatchObject({
      ServiceToken: 'arn:aws:lambda:eu-central-1:123456789012:function:resources',
      ClusterName: 'blue',
      ProviderName: expect.stringMatching(/^TestPool[0-9A-F]{8}$/),
      IsDefault: false,
    });
    expect(rules()).toMatchObject({
      offers: {},
      limits: { minHosts: 0, maxHosts: 10 },
      policy: { market: 'on-demand', idleSeconds: 120, consolidation: 'empty' },
    });
  });

  it('says all that is said', () => {
    const { properties, rules } = make({
      providerName: 'pool',
      instanceTypes: ['m7i.*', 'c7i.large'],
      excludedInstanceTypes: ['*.metal'],
      vcpus: { min: 2, max: 16 },
      memoryMib: { min: 4096 },
      memoryGibPerVcpu: { max: 8 },
      minHosts: 1,
      maxHosts: 20,
      maxVcpus: 64,
      maxHourlyUsd: 4.5,
      market: 'spot-first',
      idle: Duration.minutes(10),
      join: Duration.minutes(4),
      drain: Duration.hours(2),
      consolidation: 'replace',
      maxDraining: 3,
      makeDefault: true,
    });
    expect(properties).toMatchObject({ ProviderName: 'pool', IsDefault: true });
    expect(rules()).toMatchObject({
      offers: {
        names: ['m7i.*', 'c7i.large'],
        exceptNames: ['*.metal'],
        vcpus: { min: 2, max: 16 },
        memoryMib: { min: 4096 },
        memoryGibPerVcpu: { max: 8 },
      },
      limits: { minHosts: 1, maxHosts: 20, maxCpuUnits: 65_536, maxHourlyUsd: 4.5 },
      policy: {
        market: 'spot-first',
        idleSeconds: 600,
        joinSeconds: 240,
        drainSeconds: 7200,
        consolidation: 'replace',
        maxDraining: 3,
      },
    });
  });

  it('is there after all that its hosts are made of, and gone before any of it', () => {
    const { template, logicalId } = make({});
    const { DependsOn } = template.findResources('Custom::GantryCapacityProvider')[logicalId] ?? {};
    const needed = ['Custom::GantryCluster', 'AWS::IAM::Role', 'AWS::IAM::Policy', 'AWS::EC2::Route'];
    for (const type of needed)
      for (const id of Object.keys(template.findResources(type))) expect(DependsOn).toContain(id);
    // And the cluster after these, by reference.
    const [cluster = {}] = Object.values(propertiesOf(template, 'Custom::GantryCluster'));
    for (const type of ['AWS::EC2::LaunchTemplate', 'AWS::EC2::Subnet'])
      for (const id of Object.keys(template.findResources(type)))
        expect(JSON.stringify(cluster)).toContain(`{"Ref":"${id}"}`);
  });

  it('has a name that ECS does not keep for itself, also in a stack that is called so', () => {
    const { cluster } = makeCluster();
    const { providerName } = new GantryCapacityProvider(new Stack(cluster.node.root, 'EcsStack'), 'Pool', { cluster });
    expect(providerName).toMatch(/^gantry-EcsStackPool/);
  });

  it.each<[Props, string]>([
    [{ providerName: 'fargate-like' }, 'providerName is "fargate-like", but must be 1 to 255 letters'],
    [{ minHosts: 3, maxHosts: 2 }, 'minHosts is 3, but must be at most maxHosts (2).'],
    [{ minHosts: 11 }, 'minHosts is 11, but must be at most maxHosts (10).'],
    [{ maxHosts: -1 }, 'maxHosts is -1, but must be a whole number of hosts from 0 to 10000.'],
    [{ maxVcpus: 0.5 }, 'maxVcpus is 0.5, but must be a whole number of vCPUs from 1 to 1000000.'],
    [{ maxHourlyUsd: 0 }, 'maxHourlyUsd is 0, but must be more than 0 dollars an hour.'],
    [{ maxDraining: 0 }, 'maxDraining is 0, but must be a whole number of hosts from 1 to 10000.'],
    [{ instanceTypes: [] }, 'instanceTypes is [], but must be at least one name'],
    [{ instanceTypes: ['m7i.*', 'M7I'] }, 'instanceTypes is "M7I", but must be names of instance types'],
    [{ vcpus: { min: 8, max: 4 } }, 'vcpus is {"min":8,"max":4}, but must be a range from min to max'],
    [{ memoryMib: { min: -1 } }, 'memoryMib is {"min":-1}, but must be a range from min to max'],
    [{ join: Duration.seconds(5) }, 'join is 5, but must be a whole number of seconds from 30 to 604800.'],
    [{ idle: Duration.days(30) }, 'idle is 2592000, but must be a whole number of seconds from 0 to 604800.'],
  ])('refuses %o', (props, sentence) => {
    expect(() => make(props)).toThrow(`Test/Pool: ${sentence}`);
  });
});
