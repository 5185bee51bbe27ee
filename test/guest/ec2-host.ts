/**
 * An instance of the stack's EC2 as a virtual machine: it gets what it was launched with (user data, address, size, tags and role of the
 * launch template), an instance's metadata, and, behind AWS' own names, what the stack says is there. Ends when its instance does.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { AwsCloud } from '../cloud/aws-cloud.ts';
import { isAllowed } from '../cloud/iam/policy.ts';
import type { StartedInstance } from '../ec2/machines.ts';
import type { FakeSts } from '../support/fake-sts.ts';
import { type AwsFront, startAwsFront } from './aws-front.ts';
import { Guest } from './guest.ts';
import { type HostServices, startHostServices } from './host-services.ts';
import type { GuestImage } from './image.ts';
import { type MetadataStandIn, startInstanceMetadata } from './instance-metadata.ts';
import { network } from './network.ts';

/** By its beginning, cloud-init knows EC2. */
const ec2Uuid = 'ec2e1916-9099-7caf-fd21-012345abcdef';

export interface Ec2Host extends AsyncDisposable {
  readonly guest: Guest;
  readonly metadata: MetadataStandIn;
  readonly services: HostServices;
  readonly front: AwsFront;
  /** Of the agent's release, as the template has it. */
  readonly releaseSha256: string;
}

export interface Ec2HostOptions {
  readonly cloud: AwsCloud;
  readonly sts: FakeSts;
  readonly image: GuestImage;
  /** For what every guest has: one of its own is made in it. */
  readonly directory: string;
  /** Ports on loopback of what is not the stack's. */
  readonly others: ReadonlyMap<string, number>;
}

/** The machine is off. */
export async function makeEc2Host(instance: StartedInstance, options: Ec2HostOptions): Promise<Ec2Host> {
  const { cloud, sts, image, others } = options;
  await using made = new AsyncDisposableStack();
  const { bucket, release, role } = readStack(cloud, instance);
  const credentials = sts.assume({ roleId: role.id, sessionName: instance.instanceId, roleName: role.name });
  const services = made.use(
    await startHostServices({
      region: cloud.region,
      credentials,
      bucket,
      objects: cloud.platform.assets,
      parameters: new Map([release]),
      allows: (call) => isAllowed(cloud.world.statementsOf(role.name), call),
      arn: (service, rest) => cloud.world.arn(service, rest),
    }),
  );
  const metadata = made.use(await startMetadata(cloud, instance, { name: role.name, credentials }));
  const front = made.use(await startAwsFront(image.authority, portsByName(cloud, services, others)));
  const directory = join(options.directory, instance.instanceId);
  mkdirSync(directory);
  const { privateIp } = instance;
  const reaches = [
    { address: network.metadata, port: 80, loopbackPort: metadata.port },
    { address: network.lent, port: 443, loopbackPort: front.port },
  ];
  const guest = made.use(
    new Guest({
      image,
      directory,
      ec2Uuid,
      ...sizeOf(cloud, instance),
      privateIp,
      reaches,
      names: front.names,
    }),
  );
  const all = made.move();
  return {
    guest,
    metadata,
    services,
    front,
    releaseSha256: release[1].split(' ')[1] ?? '',
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

const launchSchema = z.object({
  IamInstanceProfile: z.object({ Arn: z.string() }),
  MetadataOptions: z.object({
    HttpTokens: z.literal('required'),
    HttpPutResponseHopLimit: z.literal(1),
    InstanceMetadataTags: z.enum(['enabled', 'disabled']).default('disabled'),
  }),
});

interface Stack {
  readonly role: { readonly id: string; readonly name: string };
  readonly bucket: string;
  /** The SSM parameter that names the agent's release. */
  readonly release: readonly [name: string, value: string];
}

/** What IAM, SSM and S3 have of the stack for this instance. */
function readStack({ platform, world }: AwsCloud, { userData, launchTemplateData }: StartedInstance): Stack {
  const { Arn } = launchSchema.parse(launchTemplateData).IamInstanceProfile;
  const roleArn = world.profileRoles.get(Arn);
  const roles = platform.resourcesOf('AWS::IAM::Role');
  const role = roles.find(({ attributes }) => attributes.Arn === roleArn) ?? missing(`role behind ${Arn}`);
  const release = platform.resourcesOf('AWS::SSM::Parameter')[0] ?? missing('SSM parameter');
  return {
    role: { id: z.string().parse(role.attributes.RoleId), name: role.id },
    bucket: /^GANTRY_ASSET_BUCKET=(.+)$/m.exec(userData)?.[1] ?? missing('bucket of assets'),
    release: [release.id, z.string().parse(release.properties.Value)],
  };
}

function missing(what: string): never {
  throw new Error(`the stack has no ${what}`);
}

function startMetadata(
  { region, world }: AwsCloud,
  instance: StartedInstance,
  role: Parameters<typeof startInstanceMetadata>[0]['role'],
): Promise<MetadataStandIn> {
  const { instanceId, instanceType, privateIp, userData, lifecycle, zone, launchTemplateData } = instance;
  const { InstanceMetadataTags } = launchSchema.parse(launchTemplateData).MetadataOptions;
  return startInstanceMetadata({
    instanceId,
    // EC2 has found it by the parameter that the template names.
    amiId: 'ami-0123456789abcdef0',
    instanceType,
    lifeCycle: lifecycle,
    privateIp,
    availabilityZone: zone,
    region,
    accountId: world.options.accountId,
    userData,
    tags: InstanceMetadataTags === 'enabled' ? instance.tags : {},
    role,
  });
}

function sizeOf({ world }: AwsCloud, { instanceType }: StartedInstance): { vcpus: number; memoryMib: number } {
  const type = world.place.ec2.instanceTypes.find(({ name }) => name === instanceType);
  if (type === undefined) throw new Error(`EC2 has no ${instanceType}`);
  return { vcpus: type.vcpus, memoryMib: type.memoryMib };
}

function portsByName(
  { world }: AwsCloud,
  services: HostServices,
  others: ReadonlyMap<string, number>,
): Map<string, number> {
  const gateways = [...world.addresses].map(([name, address]) => [name, Number(address.split(':')[1])] as const);
  const ours = services.names.map((name) => [name, services.port] as const);
  return new Map([...gateways, ...ours, ...others]);
}
