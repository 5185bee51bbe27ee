/** GantryCluster: a cluster of a control plane, and what its hosts are made of. The hosts themselves are gantry-hosts.ts. */
import { Names, Size } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import type * as iam from 'aws-cdk-lib/aws-iam';
import type { Construct, IDependable } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import {
  ClusterBase,
  checkClusterName,
  type GantryClusterAttributes,
  type IGantryCluster,
  ImportedCluster,
} from './cluster.ts';
import type { IGantryControlPlane } from './control-plane.ts';
import { exact } from './exact.ts';
import { AgentRelease } from './host/agent-release.ts';
import { hostNetwork } from './host/host-network.ts';
import { makeHostRole } from './host/host-role.ts';
import { type GantryHostTemplate, makeLaunchTemplate } from './host/launch-template.ts';
import type { HostArchitecture } from './host/node-binary.ts';
import { hostUserData } from './host/user-data.ts';
import { checkText, checkWholeNumber, PropError } from './prop-checks.ts';

export interface GantryClusterProps {
  /** The control plane that it is a cluster of. */
  readonly controlPlane: IGantryControlPlane;
  /**
   * 1 to 255 letters, digits, hyphens and underscores. A cluster named `default` exists in every control plane, and is then the one meant.
   * @default - made of the construct's path
   */
  readonly clusterName?: string;
  /**
   * Where hosts are launched. They must reach S3, SSM, STS, API Gateway, the registries of images, and their distribution's packages.
   * @default - a new VPC over two zones with public subnets alone, so that no NAT gateway costs anything while nothing runs. Hosts have
   * public addresses there and a security group that lets nothing in.
   */
  readonly vpc?: ec2.IVpc;
  /**
   * In which subnets of the VPC hosts are bought, where a capacity provider buys them: the first of each zone counts. GantryHosts has a
   * choice of its own.
   * @default - the private ones that reach the internet where there are any, otherwise the public ones
   */
  readonly vpcSubnets?: ec2.SubnetSelection;
  /**
   * What may connect to hosts, where tasks publish their ports.
   * @default - a new one that lets everything out and nothing in
   */
  readonly securityGroup?: ec2.ISecurityGroup;
  /**
   * Whether tasks that name the launch type EC2 wait for capacity where they fit nowhere now, as those do that name none. In ECS they are
   * refused, and clients that know ECS alone often name it.
   * @default - as the cluster has it: off, unless somebody has switched it on (setting `gantry:waitForCapacity`)
   */
  readonly waitForCapacity?: boolean;
  /**
   * Architectures for which there is a launch template.
   * @default - x86-64 alone
   */
  readonly architectures?: readonly ec2.InstanceArchitecture[];
  /**
   * The image of hosts, for every architecture: a Linux with systemd, curl, and dnf or apt.
   * Hosts that are bought cannot be given one by an SSM parameter of the account (of AWS, /aws/service/…, they can), as who buys may read
   * none of those: name the image by its id.
   * @default - the newest Amazon Linux 2023 at each launch
   */
  readonly machineImage?: ec2.IMachineImage;
  /**
   * Size of a host's disk, which holds images, containers and their logs.
   * @default Size.gibibytes(30)
   */
  readonly diskSize?: Size;
  /**
   * Attributes that hosts have beside those of their instance, for placement: at most 20, names and values of at most 128 characters.
   * @default - none
   */
  readonly hostAttributes?: Readonly<Record<string, string>>;
  /**
   * Memory that no task gets: for the system, containerd and the agent.
   * @default - a twentieth of the host's memory, at least 256 MiB and at most 1 GiB
   */
  readonly reservedMemory?: Size;
  /**
   * Whether hosts may pull from every ECR repository of this account and region. Otherwise those of task definitions that were given
   * to the cluster, and those that `hostRole` is granted.
   * @default true
   */
  readonly pullFromAllRepositories?: boolean;
  /**
   * Whether operators may open a shell on hosts with Session Manager.
   * @default false
   */
  readonly sessionManager?: boolean;
}

/**
 * A cluster, with a role, a security group and launch templates for its hosts.
 *
 * @example
 * const cluster = new GantryCluster(this, 'Cluster', { controlPlane, clusterName: 'blue' });
 * new GantryHosts(this, 'Hosts', { cluster, count: 3, instanceType: new ec2.InstanceType('m7i.large') });
 * cluster.connections.allowFrom(loadBalancer, ec2.Port.tcp(80));
 * cluster.grantRunTask(scheduler);
 * // Or, instead of a fixed number, as many as the tasks need:
 * new GantryCapacityProvider(this, 'Pool', { cluster, maxHosts: 20 });
 */
export class GantryCluster extends ClusterBase {
  /** Imports a cluster that another app has made. */
  static fromClusterAttributes(scope: Construct, id: string, attributes: GantryClusterAttributes): IGantryCluster {
    return new ImportedCluster(scope, id, attributes);
  }

  readonly clusterName: string;
  readonly controlPlane: IGantryControlPlane;
  readonly hostRole: iam.Role;
  readonly connections: ec2.Connections;
  readonly vpc: ec2.IVpc;
  /** By architecture; a host of one that is not in `architectures` cannot be launched. */
  readonly launchTemplates: ReadonlyMap<ec2.InstanceArchitecture, GantryHostTemplate>;
  /** What must be there before the first host can join, and for as long as one is there. */
  readonly neededByHosts: readonly IDependable[];

  constructor(scope: Construct, id: string, props: GantryClusterProps) {
    super(scope, id);
    const architectures = checkedProps(this, props);
    this.clusterName =
      props.clusterName ?? Names.uniqueResourceName(this, { maxLength: 255, allowedSpecialCharacters: '-_' });
    checkClusterName(this, this.clusterName);
    this.controlPlane = props.controlPlane;
    this.vpc = props.vpc ?? exact<ec2.IVpc>(this.newVpc());
    const securityGroup = props.securityGroup ?? this.newSecurityGroup();
    this.connections = new ec2.Connections({ securityGroups: [securityGroup] });
    this.hostRole = makeHostRole(this, 'HostRole', {
      pullsFromAllRepositories: props.pullFromAllRepositories ?? true,
      sessionManager: props.sessionManager ?? false,
    });
    this.launchTemplates = new Map(
      architectures.map((architecture) => [architecture, this.newLaunchTemplate(architecture, securityGroup, props)]),
    );
    const network = hostNetwork(this, this.vpc, props.vpcSubnets);
    const cluster = this.controlPlane.newCustomResource(this, 'Cluster', {
      resourceType: 'Custom::GantryCluster',
      properties: {
        ClusterName: this.clusterName,
        HostRoleId: this.hostRole.roleId,
        LaunchTemplates: templateProperties(this.launchTemplates),
        Subnets: network.subnets.map(({ availabilityZone, subnetId }) => ({ Zone: availabilityZone, Id: subnetId })),
        ...(props.reservedMemory && { ReservedMemoryMib: props.reservedMemory.toMebibytes() }),
        ...(props.waitForCapacity !== undefined && { WaitForCapacity: props.waitForCapacity }),
      },
    });
    this.neededByHosts = [cluster, this.hostRole, network.internetConnectivityEstablished];
  }

  private newLaunchTemplate(
    architecture: ec2.InstanceArchitecture,
    securityGroup: ec2.ISecurityGroup,
    props: GantryClusterProps,
  ): GantryHostTemplate {
    const { id, hostArchitecture } = known(architecture);
    const release = new AgentRelease(this, `Agent${id}`, hostArchitecture);
    release.grantRead(this.hostRole);
    return makeLaunchTemplate(this, `LaunchTemplate${id}`, {
      architecture: hostArchitecture,
      ...(props.machineImage && { machineImage: props.machineImage }),
      diskSize: props.diskSize ?? Size.gibibytes(30),
      role: this.hostRole,
      securityGroup,
      userData: hostUserData(this, {
        agent: {
          platform: 'ec2',
          controlPlaneUrl: this.controlPlane.endpoint,
          cluster: this.clusterName,
          ...(props.hostAttributes && { attributes: props.hostAttributes }),
          ...(props.reservedMemory && { reservedMemoryMib: props.reservedMemory.toMebibytes() }),
        },
        assetBucket: release.assetBucket,
        releaseParameter: release.parameterName,
      }),
      clusterName: this.clusterName,
    });
  }

  private newVpc(): ec2.Vpc {
    const vpc = new ec2.Vpc(this, 'Vpc', {
      maxAzs: 2,
      natGateways: 0,
      subnetConfiguration: [{ name: 'Hosts', subnetType: ec2.SubnetType.PUBLIC }],
      // Nothing uses the default group, and a function only to empty it is one more to look after.
      restrictDefaultSecurityGroup: false,
    });
    acknowledge(vpc, {
      'AwsSolutions-VPC7':
        'Flow logs cost by the gigabyte; who wants them adds them (cluster.vpc.addFlowLog) or gives a VPC that has them.',
    });
    return vpc;
  }

  private newSecurityGroup(): ec2.SecurityGroup {
    return new ec2.SecurityGroup(this, 'SecurityGroup', {
      vpc: this.vpc,
      description: `Hosts of the Gantry cluster ${this.clusterName}`,
      allowAllOutbound: true,
    });
  }
}

/** Answers the architectures that are wanted. */
function checkedProps(scope: Construct, props: GantryClusterProps): readonly ec2.InstanceArchitecture[] {
  const { architectures = [ec2.InstanceArchitecture.X86_64], diskSize, reservedMemory, hostAttributes = {} } = props;
  if (architectures.length === 0 || new Set(architectures).size < architectures.length)
    throw new PropError(scope, 'architectures', architectures, 'one or two different architectures');
  if (diskSize !== undefined)
    checkWholeNumber(scope, 'diskSize', diskSize.toGibibytes(), { min: 8, max: 16_384, unit: 'GiB' });
  if (reservedMemory !== undefined)
    checkWholeNumber(scope, 'reservedMemory', reservedMemory.toMebibytes(), { min: 0, max: 1_048_576, unit: 'MiB' });
  checkAttributes(scope, hostAttributes);
  return architectures;
}

/** EC2 takes 16 KiB of user data, and they are a part of it. */
function checkAttributes(scope: Construct, attributes: Readonly<Record<string, string>>): void {
  const count = Object.keys(attributes).length;
  if (count > 20) throw new PropError(scope, 'hostAttributes', `${count} attributes`, 'at most 20 attributes');
  for (const [name, value] of Object.entries(attributes)) {
    const prop = `hostAttributes.${name}`;
    checkText(scope, prop, value, /^.{0,128}$/s, 'at most 128 characters');
    if (!/^[\w./-]{1,128}$/.test(name))
      throw new PropError(
        scope,
        prop,
        value,
        'named by 1 to 128 letters, digits, dots, hyphens, underscores and slashes',
      );
  }
}

/** By architecture as the control plane names them. */
const templateProperties = (templates: ReadonlyMap<ec2.InstanceArchitecture, GantryHostTemplate>) =>
  Object.fromEntries(
    [...templates].map(([architecture, { id, version }]) => [architecture, { Id: id, Version: version }]),
  );

/** Part of logical ids, so the ids never change. */
function known(architecture: ec2.InstanceArchitecture): { id: string; hostArchitecture: HostArchitecture } {
  return architecture === ec2.InstanceArchitecture.ARM_64
    ? { id: 'Arm64', hostArchitecture: 'arm64' }
    : { id: 'X64', hostArchitecture: 'x64' };
}
