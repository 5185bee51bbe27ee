/**
 * GantryHosts: a fixed number of hosts of a cluster, launched by CloudFormation. They are admitted once they exist, and drained before
 * they go; where what they are made of changes, new ones are there before the old ones leave.
 */
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import type { GantryCluster } from './gantry-cluster.ts';
import type { GantryHostTemplate } from './host/launch-template.ts';
import { PropError } from './prop-checks.ts';

export interface GantryHostsProps {
  /** The cluster that they join. */
  readonly cluster: GantryCluster;
  /** How many. */
  readonly count: number;
  /** Of an architecture that the cluster has a launch template for. */
  readonly instanceType: ec2.InstanceType;
  /**
   * In which subnets of the cluster's VPC; hosts are spread over them evenly.
   * @default - the private ones that reach the internet where there are any, otherwise the public ones
   */
  readonly vpcSubnets?: ec2.SubnetSelection;
}

/** A fixed number of hosts. */
export class GantryHosts extends Construct {
  /** Ids of the instances. */
  readonly instanceIds: readonly string[];

  constructor(scope: Construct, id: string, props: GantryHostsProps) {
    super(scope, id);
    const { cluster, count } = props;
    if (!Number.isInteger(count) || count < 1 || count > 100)
      throw new PropError(this, 'count', count, 'a whole number of hosts from 1 to 100 that is known at synth');
    const template = this.templateFor(props);
    const { subnetIds, internetConnectivityEstablished } = cluster.vpc.selectSubnets(props.vpcSubnets ?? {});
    if (subnetIds.length === 0)
      throw new PropError(this, 'vpcSubnets', props.vpcSubnets, 'a selection of at least one subnet of the VPC');
    const instances = Array.from({ length: count }, (_, index) =>
      this.newInstance(index, template, props.instanceType, subnetIds[index % subnetIds.length] ?? ''),
    );
    this.instanceIds = instances.map(({ ref }) => ref);
    const admission = cluster.controlPlane.newCustomResource(this, 'Admission', {
      resourceType: 'Custom::GantryHosts',
      properties: { ClusterName: cluster.clusterName, InstanceIds: this.instanceIds },
    });
    // In the other direction at deletion: hosts are drained over the network that they came up with.
    for (const instance of instances)
      instance.node.addDependency(internetConnectivityEstablished, ...cluster.neededByHosts);
    admission.node.addDependency(internetConnectivityEstablished, ...cluster.neededByHosts);
  }

  private templateFor({ cluster, instanceType }: GantryHostsProps): GantryHostTemplate {
    const template = cluster.launchTemplates.get(instanceType.architecture);
    if (template !== undefined) return template;
    const known = [...cluster.launchTemplates.keys()].join(' or ');
    throw new PropError(
      this,
      'instanceType',
      instanceType.toString(),
      `of the architecture ${known}, or the cluster's architectures must include ${instanceType.architecture}`,
    );
  }

  private newInstance(index: number, template: GantryHostTemplate, instanceType: ec2.InstanceType, subnetId: string) {
    const instance = new ec2.CfnInstance(this, `Host${index + 1}`, {
      launchTemplate: { launchTemplateId: template.id, version: template.version },
      instanceType: instanceType.toString(),
      subnetId,
    });
    acknowledge(instance, {
      'AwsSolutions-EC28':
        'Gantry hears of the end of a host from EC2 and from its silence; metrics each minute cost more and say no more.',
      'AwsSolutions-EC29':
        'A host is replaceable: its tasks are drained before the stack ends it, and nothing else is on it.',
    });
    return instance;
  }
}
