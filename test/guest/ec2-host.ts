/**
 * A host of EC2 as the stack makes it: the control plane of the AWS shape on loopback, and a virtual machine that gets the user data of
 * the synthesized launch template as it stands, an instance's metadata and role, and, behind AWS' own names, what the template says is
 * there. Makes all of it, ends all of it.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { Duration } from 'aws-cdk-lib';
import { InstanceType } from 'aws-cdk-lib/aws-ec2';
import { z } from 'zod';
import { GantryCluster } from '../../lib/gantry-cluster.ts';
import { GantryHosts } from '../../lib/gantry-hosts.ts';
import { type AwsCloud, startAwsCloud } from '../cloud/aws-cloud.ts';
import { isAllowed } from '../cloud/iam/policy.ts';
import { type FakeSts, startFakeSts } from '../support/fake-sts.ts';
import { startTestImages } from '../support/test-images.ts';
import { type AwsFront, startAwsFront } from './aws-front.ts';
import { Guest } from './guest.ts';
import { type HostServices, startHostServices } from './host-services.ts';
import { guestImage } from './image.ts';
import { type MetadataStandIn, startInstanceMetadata } from './instance-metadata.ts';
import { network } from './network.ts';

const instanceType = 't3.small';
const memoryMib = 2048;
/** The schedule's minute, made shorter. */
const sweepEveryMs = 5_000;
const registryName = 'registry.example';
/** By its beginning, cloud-init knows EC2. */
const uuid = 'ec2e1916-9099-7caf-fd21-012345abcdef';

export interface Ec2Host extends AsyncDisposable {
  readonly cloud: AwsCloud;
  readonly guest: Guest;
  readonly metadata: MetadataStandIn;
  readonly services: HostServices;
  readonly front: AwsFront;
  readonly sts: FakeSts;
  readonly instanceId: string;
  /** Of the agent's release, as the template has it. */
  readonly releaseSha256: string;
  /** A busybox image as the guest pulls it. */
  readonly busybox: string;
  /** As EventBridge tells of a change of the instance's state. */
  tellOfState(state: 'shutting-down' | 'terminated'): Promise<void>;
}

/** The machine is off. */
export async function makeEc2Host(say: (line: string) => void): Promise<Ec2Host> {
  await using made = new AsyncDisposableStack();
  const image = guestImage(say);
  const sts = made.use(await startFakeSts());
  const images = made.use(await startTestImages());
  const cloud = made.use(await startCloud(sts));
  say('the control plane is deployed on loopback');
  const sweeps = setInterval(() => void cloud.sweep(), sweepEveryMs);
  made.defer(() => clearInterval(sweeps));

  const stack = readStack(cloud);
  const credentials = sts.assume({ roleId: stack.roleId, sessionName: stack.instanceId, roleName: stack.roleName });
  const services = made.use(
    await startHostServices({
      region: cloud.region,
      credentials,
      bucket: stack.bucket,
      objects: cloud.platform.assets,
      parameters: new Map([stack.release]),
      allows: (call) => isAllowed(cloud.world.statementsOf(stack.roleName), call),
      arn: (service, rest) => cloud.world.arn(service, rest),
    }),
  );
  const metadata = made.use(
    await startInstanceMetadata({
      instanceId: stack.instanceId,
      amiId: 'ami-0123456789abcdef0',
      instanceType,
      privateIp: network.guest,
      availabilityZone: `${cloud.region}a`,
      region: cloud.region,
      accountId: cloud.world.options.accountId,
      userData: stack.userData,
      tags: { Name: 'gantry default' },
      role: { name: stack.roleName, credentials },
    }),
  );
  const front = made.use(await startAwsFront(image.authority, portsByName(cloud, services, images.registryUrl)));
  const directory = mkdtempSync('/var/tmp/gantry-guest-');
  made.defer(() => rmSync(directory, { recursive: true, force: true }));
  const ports = { metadataPort: metadata.port, awsPort: front.port };
  const guest = made.use(new Guest({ image, directory, uuid, memoryMib, ...ports, names: front.names }));
  const all = made.move();
  return {
    cloud,
    guest,
    metadata,
    services,
    front,
    sts,
    instanceId: stack.instanceId,
    releaseSha256: stack.release[1].split(' ')[1] ?? '',
    busybox: `${registryName}/${images.busybox.replace(/^[^/]+\//, '')}`,
    tellOfState: (state) => tellOfState(cloud, stack.instanceId, state),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

const startCloud = (sts: FakeSts): Promise<AwsCloud> =>
  startAwsCloud({
    controlPlane: { heartbeat: Duration.seconds(10) },
    endpoints: { AWS_ENDPOINT_URL_STS: sts.endpoint },
    hostsKnowNames: true,
    more(stack, controlPlane) {
      const cluster = new GantryCluster(stack, 'Cluster', { controlPlane, clusterName: 'default' });
      new GantryHosts(stack, 'Hosts', { cluster, count: 1, instanceType: new InstanceType(instanceType) });
    },
  });

interface Stack {
  readonly instanceId: string;
  readonly roleId: string;
  readonly roleName: string;
  readonly userData: string;
  readonly bucket: string;
  /** The SSM parameter that names the agent's release. */
  readonly release: readonly [name: string, value: string];
}

const launchTemplateSchema = z.object({
  LaunchTemplateData: z.object({
    UserData: z.base64(),
    MetadataOptions: z.object({ HttpTokens: z.literal('required'), HttpPutResponseHopLimit: z.literal(1) }),
  }),
});

/** What EC2, IAM, SSM and S3 have of the stack. */
function readStack({ platform }: AwsCloud): Stack {
  const one = (type: string) => platform.resourcesOf(type)[0] ?? missing(type);
  const admission = one('Custom::GantryCluster');
  const roleId = z.string().parse(admission.properties.HostRoleId);
  const role = platform.resourcesOf('AWS::IAM::Role').find(({ attributes }) => attributes.RoleId === roleId);
  const template = launchTemplateSchema.parse(one('AWS::EC2::LaunchTemplate').properties);
  const userData = Buffer.from(template.LaunchTemplateData.UserData, 'base64').toString('utf8');
  const release = one('AWS::SSM::Parameter');
  return {
    instanceId: one('AWS::EC2::Instance').id,
    roleId,
    roleName: role?.id ?? missing('host role'),
    userData,
    bucket: /^GANTRY_ASSET_BUCKET=(.+)$/m.exec(userData)?.[1] ?? missing('bucket of assets'),
    release: [release.id, z.string().parse(release.properties.Value)],
  };
}

function missing(what: string): never {
  throw new Error(`the stack has no ${what}`);
}

function portsByName({ world }: AwsCloud, services: HostServices, registryUrl: string): Map<string, number> {
  const gateways = [...world.addresses].map(([name, address]) => [name, Number(address.split(':')[1])] as const);
  const others = services.names.map((name) => [name, services.port] as const);
  return new Map([...gateways, ...others, [registryName, Number(new URL(registryUrl).port)]]);
}

async function tellOfState({ world }: AwsCloud, instanceId: string, state: string): Promise<void> {
  const rules = [...world.rules.values()].filter(({ pattern }) => {
    const { source, detail } = z
      .object({ source: z.array(z.string()), detail: z.object({ state: z.array(z.string()) }).optional() })
      .parse(JSON.parse(pattern));
    return source.includes('aws.ec2') && (detail?.state.includes(state) ?? true);
  });
  if (rules.length === 0) throw new Error('no rule of the stack waits for the ends of instances');
  for (const { target } of rules)
    await target.invoke({
      version: '0',
      id: randomUUID(),
      'detail-type': 'EC2 Instance State-change Notification',
      source: 'aws.ec2',
      account: world.options.accountId,
      time: new Date().toISOString(),
      region: world.options.region,
      resources: [world.arn('ec2', `instance/${instanceId}`)],
      detail: { 'instance-id': instanceId, state },
    });
}
