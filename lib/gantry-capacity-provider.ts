/**
 * GantryCapacityProvider: hosts of a cluster that follow its tasks, bought by the control plane when tasks wait and ended when nothing
 * needs them. What it may buy and how much is said here; what hosts are made of is the cluster's (gantry-cluster.ts).
 */
import { type Duration, Names, Resource, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { checkCapacityProps, configurationOf } from './capacity-provider/configuration.ts';
import type { GantryCluster } from './gantry-cluster.ts';
import { checkText } from './prop-checks.ts';

/** Least and most, each optional. */
export interface GantryRange {
  readonly min?: number;
  readonly max?: number;
}

/** Whether hosts are bought on demand or as spot instances, which are cheaper and may be taken away at two minutes' notice. */
export type GantryMarket = 'on-demand' | 'spot' | 'spot-first';

/** Which hosts go by themselves. */
export type GantryConsolidation = 'off' | 'empty' | 'replace';

export interface GantryCapacityProviderProps {
  /** The cluster that hosts are bought for, from its launch templates and into its subnets. */
  readonly cluster: GantryCluster;
  /**
   * 1 to 255 letters, digits, hyphens and underscores, not beginning with aws, ecs or fargate; no other of the control plane may have it.
   * @default - made of the construct's path
   */
  readonly providerName?: string;
  /**
   * Names of the instance types that may be bought; `*` stands for any text, as in `m7i.*`.
   * @default - all that EC2 has of the cluster's architectures: what is cheapest for the tasks that wait
   */
  readonly instanceTypes?: readonly string[];
  /**
   * Names of those that may not; `*` stands for any text.
   * @default - none
   */
  readonly excludedInstanceTypes?: readonly string[];
  /**
   * How many vCPUs an instance may have.
   * @default - any number
   */
  readonly vcpus?: GantryRange;
  /**
   * How much memory an instance may have, in MiB.
   * @default - any
   */
  readonly memoryMib?: GantryRange;
  /**
   * How many GiB of memory an instance may have for each vCPU.
   * @default - any
   */
  readonly memoryGibPerVcpu?: GantryRange;
  /**
   * Hosts that stay although nothing runs on them.
   * @default 0
   */
  readonly minHosts?: number;
  /**
   * Hosts at once, with those on order.
   * @default 10
   */
  readonly maxHosts?: number;
  /**
   * vCPUs of all hosts at once.
   * @default - no limit
   */
  readonly maxVcpus?: number;
  /**
   * What all hosts together may cost, in US dollars an hour by EC2's list of prices.
   * @default - no limit
   */
  readonly maxHourlyUsd?: number;
  /**
   * `spot-first` buys on demand only what spot does not give.
   * @default 'on-demand'
   */
  readonly market?: GantryMarket;
  /**
   * How long a host stays empty before it goes.
   * @default Duration.minutes(2)
   */
  readonly idle?: Duration;
  /**
   * A host that has not joined by then is ended, and another bought.
   * @default Duration.minutes(5)
   */
  readonly join?: Duration;
  /**
   * How long consolidation waits for tasks that may not be replaced, before it takes their host into use again.
   * @default Duration.hours(1)
   */
  readonly drain?: Duration;
  /**
   * `empty` ends empty hosts only; `replace` also empties hosts whose tasks are all replaceable (tag `gantry:replaceable`); with `off`
   * every host stays.
   * @default 'empty'
   */
  readonly consolidation?: GantryConsolidation;
  /**
   * How many hosts consolidation empties at once.
   * @default 1
   */
  readonly maxDraining?: number;
  /**
   * Whether it is in the cluster's default strategy: tasks that name neither a strategy nor a launch type then run on its hosts alone (or
   * on those of others that are in it too). Without, they go onto any host, and the cluster's first provider buys for those that wait.
   * @default false
   */
  readonly makeDefault?: boolean;
}

/**
 * Hosts that follow the tasks: from none, and back to none.
 *
 * Its deletion stops what runs on its hosts and waits until all of them are ended.
 *
 * @example
 * new GantryCapacityProvider(this, 'Pool', { cluster, instanceTypes: ['m7i.*', 'c7i.*'], maxHosts: 20, maxHourlyUsd: 12 });
 */
export class GantryCapacityProvider extends Resource {
  /** As strategies name it. */
  readonly providerName: string;

  constructor(scope: Construct, id: string, props: GantryCapacityProviderProps) {
    super(scope, id);
    const { cluster, makeDefault = false } = props;
    this.providerName = props.providerName ?? this.nameByPath();
    checkText(
      this,
      'providerName',
      this.providerName,
      /^(?!aws|ecs|fargate)[\w-]{1,255}$/i,
      '1 to 255 letters, digits, hyphens and underscores, not beginning with aws, ecs or fargate',
    );
    checkCapacityProps(this, props);
    const provider = cluster.controlPlane.newCustomResource(this, 'Provider', {
      resourceType: 'Custom::GantryCapacityProvider',
      properties: {
        ClusterName: cluster.clusterName,
        ProviderName: this.providerName,
        Configuration: Stack.of(this).toJsonString(configurationOf(props)),
        IsDefault: makeDefault,
      },
    });
    // In the other direction at deletion: its hosts are emptied over the network that they came up with.
    provider.node.addDependency(...cluster.neededByHosts);
  }

  /** ECS keeps some beginnings for itself. */
  private nameByPath(): string {
    const name = Names.uniqueResourceName(this, { maxLength: 248, allowedSpecialCharacters: '-_' });
    return /^(aws|ecs|fargate)/i.test(name) ? `gantry-${name}` : name;
  }
}
