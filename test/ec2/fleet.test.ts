/** CreateFleet of type instant. */
import {
  CreateFleetCommand,
  type CreateFleetRequest,
  DescribeFleetsCommand,
  DescribeInstancesCommand,
  type FleetLaunchTemplateOverridesRequest,
  type SpotAllocationStrategy,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { type Ec2UnderTest, startEc2 } from './ec2.ts';
import { ec2Client } from './sdk.ts';

const imageId = 'ami-0123456789abcdef0';
const [zoneA, zoneB, zoneC] = ['us-east-1a', 'us-east-1b', 'us-east-1c'] as const;

interface Wish {
  readonly spot?: number;
  readonly onDemand?: number;
  /** Of what is on demand. */
  readonly prioritized?: boolean;
  /** Of what is spot. */
  readonly strategy?: SpotAllocationStrategy;
  readonly rest?: Partial<CreateFleetRequest>;
}

async function buy(ec2: Ec2UnderTest, overrides: FleetLaunchTemplateOverridesRequest[], wish: Wish) {
  const { spot = 0, onDemand = 0, strategy, prioritized = false, rest } = wish;
  const { launchTemplateId } = ec2.launchTemplate({ ImageId: imageId, InstanceType: 'm7i.large' });
  const answer = await ec2Client(ec2).send(
    new CreateFleetCommand({
      Type: 'instant',
      LaunchTemplateConfigs: [
        {
          LaunchTemplateSpecification: { LaunchTemplateId: launchTemplateId, Version: '$Latest' },
          Overrides: overrides,
        },
      ],
      TargetCapacitySpecification: {
        TotalTargetCapacity: spot + onDemand,
        SpotTargetCapacity: spot,
        OnDemandTargetCapacity: onDemand,
        DefaultTargetCapacityType: 'on-demand',
      },
      ...(prioritized && { OnDemandOptions: { AllocationStrategy: 'prioritized' } }),
      ...(strategy !== undefined && { SpotOptions: { AllocationStrategy: strategy } }),
      ...rest,
    }),
  );
  return {
    answer,
    launched: (answer.Instances ?? []).map(
      ({ InstanceIds = [], InstanceType, AvailabilityZone, Lifecycle }) =>
        `${InstanceIds.length} ${InstanceType} ${AvailabilityZone} ${Lifecycle}`,
    ),
    faults: (answer.Errors ?? []).map(
      ({ ErrorCode, LaunchTemplateAndOverrides }) =>
        `${LaunchTemplateAndOverrides?.Overrides?.InstanceType} ${LaunchTemplateAndOverrides?.Overrides?.AvailabilityZone}: ${ErrorCode}`,
    ),
  };
}

const over = (
  InstanceType: FleetLaunchTemplateOverridesRequest['InstanceType'],
  AvailabilityZone: string,
  Priority?: number,
) => ({
  InstanceType,
  AvailabilityZone,
  ...(Priority !== undefined && { Priority }),
});

describe('an instant fleet', () => {
  it('is of the cheapest type that there is, by default', async () => {
    await using ec2 = await startEc2();
    const { launched, faults } = await buy(ec2, [over('r7i.large', zoneA), over('c7i.large', zoneB)], { onDemand: 3 });
    expect({ launched, faults }).toEqual({ launched: [`3 c7i.large ${zoneB} on-demand`], faults: [] });
  });

  it('takes what there is and says what there is not, of each type and zone', async () => {
    await using ec2 = await startEc2();
    ec2.exhaust('c7i.large', zoneA, 2);
    ec2.exhaust('c7i.large', zoneB);
    const overrides = [over('c7i.large', zoneA, 1), over('c7i.large', zoneB, 2), over('m7i.large', zoneC, 3)];
    const { launched, faults, answer } = await buy(ec2, overrides, { onDemand: 5, prioritized: true });
    expect(launched).toEqual([`2 c7i.large ${zoneA} on-demand`, `3 m7i.large ${zoneC} on-demand`]);
    expect(faults).toEqual([
      `c7i.large ${zoneA}: InsufficientInstanceCapacity`,
      `c7i.large ${zoneB}: InsufficientInstanceCapacity`,
    ]);
    expect(answer.Errors?.[1]?.ErrorMessage).toContain(`choosing ${zoneC}`);

    ec2.refill('c7i.large', zoneA);
    const again = await buy(ec2, overrides, { onDemand: 1, prioritized: true });
    expect(again.launched).toEqual([`1 c7i.large ${zoneA} on-demand`]);
  });

  it('is fulfilled in part where no pool has the rest, or not at all', async () => {
    await using ec2 = await startEc2();
    ec2.exhaust('c7i.large', zoneA, 1);
    const first = await buy(ec2, [over('c7i.large', zoneA)], { onDemand: 3 });
    expect(first.launched).toEqual([`1 c7i.large ${zoneA} on-demand`]);
    const second = await buy(ec2, [over('c7i.large', zoneA)], { onDemand: 3 });
    expect(second).toMatchObject({ launched: [], faults: [`c7i.large ${zoneA}: InsufficientInstanceCapacity`] });
    expect(second.answer.FleetId).toMatch(/^fleet-/);
  });

  it.each<[SpotAllocationStrategy, string]>([
    ['price-capacity-optimized', `2 c7i.large ${zoneB} spot`],
    ['lowest-price', `1 c7i.large ${zoneA} spot`],
    ['capacity-optimized-prioritized', `2 m7i.large ${zoneA} spot`],
  ])('of strategy %s begins with the pool that this means', async (strategy, first) => {
    await using ec2 = await startEc2({
      types: [
        {
          name: 'c7i.large',
          vcpus: 2,
          memoryMib: 4096,
          architecture: 'x86_64',
          onDemandUsd: 1,
          spotUsd: { [zoneA]: 0.1, [zoneB]: 0.2 },
        },
        { name: 'm7i.large', vcpus: 2, memoryMib: 8192, architecture: 'x86_64', onDemandUsd: 1, spotUsd: 0.5 },
      ],
    });
    ec2.exhaust('c7i.large', zoneA, 1);
    const overrides = [over('c7i.large', zoneA, 2), over('c7i.large', zoneB, 3), over('m7i.large', zoneA, 1)];
    const { launched } = await buy(ec2, overrides, { spot: 2, strategy });
    expect(launched[0]).toBe(first);
  });

  it('may be spot and on demand together, and by weight', async () => {
    await using ec2 = await startEc2();
    const weighted = [{ ...over('m7i.xlarge', zoneA), WeightedCapacity: 4 }];
    const { launched } = await buy(ec2, weighted, { spot: 5, onDemand: 4 });
    expect(launched).toEqual([`1 m7i.xlarge ${zoneA} on-demand`, `2 m7i.xlarge ${zoneA} spot`]);
    const types = ec2.instances().map(({ lifecycle }) => lifecycle);
    expect(types).toEqual(['on-demand', 'spot', 'spot']);
  });

  it('stays within the limits of the account', async () => {
    await using ec2 = await startEc2({ vcpuLimit: { onDemand: 4, spot: 2 } });
    const { launched, faults } = await buy(ec2, [over('m7i.large', zoneA)], { onDemand: 3, spot: 3 });
    expect(launched).toEqual([`2 m7i.large ${zoneA} on-demand`, `1 m7i.large ${zoneA} spot`]);
    expect(faults).toEqual([
      `m7i.large ${zoneA}: VcpuLimitExceeded`,
      `m7i.large ${zoneA}: MaxSpotInstanceCountExceeded`,
    ]);
    const [first] = ec2.instances();
    await ec2Client(ec2).send(new TerminateInstancesCommand({ InstanceIds: [first?.instanceId ?? ''] }));
    const { launched: more } = await buy(ec2, [over('m7i.large', zoneA)], { onDemand: 3 });
    expect(more).toEqual([`1 m7i.large ${zoneA} on-demand`]);
  });

  it('is told of zones that do not sell a type, of spot that is not sold, and of a price that is too low', async () => {
    await using ec2 = await startEc2({
      types: [
        { name: 'c7i.large', vcpus: 2, memoryMib: 4096, architecture: 'x86_64', onDemandUsd: 1, zones: [zoneB] },
        { name: 'm7i.large', vcpus: 2, memoryMib: 8192, architecture: 'x86_64', onDemandUsd: 1, spotUsd: 0.5 },
      ],
    });
    const overrides = [
      over('c7i.large', zoneA),
      over('c7i.large', zoneB),
      { ...over('m7i.large', zoneA), MaxPrice: '0.4' },
    ];
    const { launched, faults } = await buy(ec2, overrides, { spot: 1, strategy: 'capacity-optimized' });
    expect(launched).toEqual([]);
    expect(faults).toEqual([
      `c7i.large ${zoneA}: InvalidFleetConfiguration`,
      `c7i.large ${zoneB}: Unsupported`,
      `m7i.large ${zoneA}: SpotMaxPriceTooLow`,
    ]);
  });

  const underOneToken = (ec2: Ec2UnderTest) => {
    const { launchTemplateId } = ec2.launchTemplate({ ImageId: imageId });
    return async (count: number) => {
      const { $metadata: _, ...answer } = await ec2Client(ec2).send(
        new CreateFleetCommand({
          Type: 'instant',
          ClientToken: 'purchase-1',
          LaunchTemplateConfigs: [
            {
              LaunchTemplateSpecification: { LaunchTemplateId: launchTemplateId, Version: '1' },
              Overrides: [over('m7i.large', zoneA)],
            },
          ],
          TargetCapacitySpecification: { TotalTargetCapacity: count, DefaultTargetCapacityType: 'on-demand' },
        }),
      );
      return answer;
    };
  };

  it('answers the same to the same token, also when its instances are gone, and refuses other parameters', async () => {
    await using ec2 = await startEc2();
    const fleet = underOneToken(ec2);
    const first = await fleet(2);
    const ids = ec2.instances().map(({ instanceId }) => instanceId);
    await ec2Client(ec2).send(new TerminateInstancesCommand({ InstanceIds: ids }));
    expect(await fleet(2)).toEqual(first);
    expect(ec2.instances()).toHaveLength(2);
    await expect(fleet(3)).rejects.toMatchObject({ name: 'IdempotentParameterMismatch' });
  });

  it('can be asked for what came of it, where a repeated request does not say so', async () => {
    await using ec2 = await startEc2({ terseRepeats: true });
    ec2.exhaust('m7i.large', zoneA, 1);
    const fleet = underOneToken(ec2);
    const { FleetId = '', Instances, Errors } = await fleet(2);
    expect(Instances?.flatMap(({ InstanceIds }) => InstanceIds)).toHaveLength(1);
    expect(await fleet(2)).toEqual({ FleetId, Instances: [], Errors: [] });
    const client = ec2Client(ec2);
    const { Fleets } = await client.send(new DescribeFleetsCommand({ FleetIds: [FleetId] }));
    const described = { InstanceIds: Instances?.[0]?.InstanceIds, InstanceType: 'm7i.large' };
    expect(Fleets).toMatchObject([
      { FleetId, Type: 'instant', ClientToken: 'purchase-1', Instances: [described], Errors },
    ]);
    expect((await client.send(new DescribeFleetsCommand({}))).Fleets).toEqual([]);
    const unknown = client.send(new DescribeFleetsCommand({ FleetIds: [FleetId.replaceAll(/[0-9]/g, 'a')] }));
    await expect(unknown).rejects.toMatchObject({ name: 'InvalidFleetId.NotFound' });
  });

  it('tags its instances by template, by itself and by EC2, and joins overrides to the template', async () => {
    await using ec2 = await startEc2();
    const { launchTemplateId } = ec2.launchTemplate({
      ImageId: imageId,
      InstanceType: 'm7i.large',
      UserData: Buffer.from('hello').toString('base64'),
      TagSpecifications: [
        {
          ResourceType: 'instance',
          Tags: [
            { Key: 'from', Value: 'template' },
            { Key: 'kept', Value: 'yes' },
          ],
        },
      ],
    });
    const { FleetId } = await ec2Client(ec2).send(
      new CreateFleetCommand({
        Type: 'instant',
        LaunchTemplateConfigs: [
          {
            LaunchTemplateSpecification: { LaunchTemplateId: launchTemplateId, Version: '$Default' },
            Overrides: [{ InstanceType: 'm7g.large', SubnetId: ec2.subnets[zoneC], ImageId: 'ami-0fedcba9876543210' }],
          },
        ],
        TargetCapacitySpecification: { TotalTargetCapacity: 1, DefaultTargetCapacityType: 'spot' },
        TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'from', Value: 'fleet' }] }],
      }),
    );
    const { Reservations = [] } = await ec2Client(ec2).send(new DescribeInstancesCommand({}));
    expect(Reservations[0]?.Instances?.[0]).toMatchObject({
      InstanceType: 'm7g.large',
      Architecture: 'arm64',
      ImageId: 'ami-0fedcba9876543210',
      SubnetId: ec2.subnets[zoneC],
      InstanceLifecycle: 'spot',
      Placement: { AvailabilityZone: zoneC },
    });
    expect(ec2.instances()[0]?.tags).toEqual({
      from: 'fleet',
      kept: 'yes',
      'aws:ec2:fleet-id': FleetId,
      'aws:ec2launchtemplate:id': launchTemplateId,
      'aws:ec2launchtemplate:version': '1',
    });
  });

  it.each<[string, Partial<CreateFleetRequest>]>([
    ['UnsupportedOperation', { Type: 'maintain' }],
    ['UnsupportedOperation', { OnDemandOptions: { MinTargetCapacity: 2 } }],
    ['UnsupportedOperation', { SpotOptions: { SingleInstanceType: true } }],
    ['InvalidParameterValue', { TargetCapacitySpecification: { TotalTargetCapacity: 1, SpotTargetCapacity: 2 } }],
    ['InvalidParameterValue', { TargetCapacitySpecification: { TotalTargetCapacity: 0 } }],
    ['InvalidLaunchTemplateId.NotFound', templateNamed('lt-0123456789abcdef0')],
    ['InvalidLaunchTemplateId.Malformed', templateNamed('lt-x')],
  ])('is refused as a whole: %s for %o', async (code, rest) => {
    await using ec2 = await startEc2();
    await expect(buy(ec2, [over('m7i.large', zoneA)], { onDemand: 1, rest })).rejects.toMatchObject({ name: code });
    expect(ec2.instances()).toEqual([]);
  });

  it('refuses types that nobody has heard of', async () => {
    await using ec2 = await startEc2();
    const unknown = over('m1.small', zoneA);
    await expect(buy(ec2, [unknown], { onDemand: 1 })).rejects.toMatchObject({ name: 'InvalidFleetConfig' });
  });
});

function templateNamed(id: string): Partial<CreateFleetRequest> {
  return { LaunchTemplateConfigs: [{ LaunchTemplateSpecification: { LaunchTemplateId: id, Version: '1' } }] };
}
