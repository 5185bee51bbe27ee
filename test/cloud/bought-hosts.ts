/**
 * Instances of a stack's EC2 as hosts of this machine: for each one its metadata and a real agent, which is told what its user data says
 * and proves by its role which instance it is, over real containers in a network of their own. Gone without a trace with its instance.
 */
import { pino } from 'pino';
import { z } from 'zod';
import { taskMemoryMib } from '../../control/fleet/ec2/offers.ts';
import { ensureAgentOf, runtimeConfigOf } from '../../local/agents.ts';
import { LaunchedHosts } from '../../local/fleet/hosts.ts';
import type { LiveHost } from '../../local/fleet/records.ts';
import type { HostPlan } from '../../local/host-plan.ts';
import { type Machine, thisMachine } from '../../local/machine.ts';
import type { StartedInstance } from '../ec2/machines.ts';
import { type MetadataStandIn, startInstanceMetadata } from '../guest/instance-metadata.ts';
import type { FakeSts } from '../support/fake-sts.ts';
import type { AwsCloud } from './aws-cloud.ts';
import type { MachinePlace } from './machine-place.ts';

interface BoughtHost {
  readonly metadata: MetadataStandIn;
  isEnding: boolean;
}

interface Surroundings {
  readonly place: MachinePlace;
  readonly containerdSocket: string;
  readonly sts: FakeSts;
  /** Nothing boots before it is there. */
  readonly cloud: Promise<AwsCloud>;
}

export class BoughtHosts {
  /** By the id of the instance: those of which anything is on the machine. */
  readonly here = new Map<string, BoughtHost>();
  readonly #surroundings: Surroundings;
  readonly #machine: Machine = thisMachine();
  readonly #launched: LaunchedHosts;

  constructor(surroundings: Surroundings) {
    const { options, paths } = surroundings.place;
    this.#surroundings = surroundings;
    this.#launched = new LaunchedHosts({ options, paths, machine: this.#machine, log: pino({ level: 'silent' }) });
  }

  /** The host goes when it is disposed of, with whatever runs on it. */
  async boot(instance: StartedInstance): Promise<AsyncDisposable> {
    const { place, sts } = this.#surroundings;
    const cloud = await this.#surroundings.cloud;
    await using booting = new AsyncDisposableStack();
    const metadata = booting.use(await startMetadata(cloud, sts, instance));
    const host = this.#recordOf(cloud, instance);
    this.here.set(instance.instanceId, { metadata, isEnding: false });
    booting.defer(() => this.#takeAway(host));
    const plan = await this.#launched.prepare(host);
    ensureAgentOf(plan.name, place.paths, {
      config: { ...agentFileOf(cloud, instance), ...this.#ofThisMachine(plan) },
      env: { AWS_EC2_METADATA_SERVICE_ENDPOINT: `http://127.0.0.1:${metadata.port}` },
    });
    return booting.move();
  }

  async #takeAway(host: LiveHost): Promise<void> {
    const bought = this.here.get(host.instanceId);
    if (bought !== undefined) bought.isEnding = true;
    await this.#launched.takeAway(
      host,
      () => this.here.size === 1,
      async () => void this.here.delete(host.instanceId),
    );
  }

  /** An address of EC2 is one of this machine's network: its last part says which host it is here. */
  #recordOf({ world }: AwsCloud, { instanceId, instanceType, zone, privateIp }: StartedInstance): LiveHost {
    const type = world.place.ec2.instanceTypes.find(({ name }) => name === instanceType);
    if (type === undefined) throw new Error(`EC2 has no ${instanceType}`);
    return {
      instanceId,
      slot: Number(privateIp.split('.')[3]) - 1,
      zone,
      cpuUnits: type.vcpus * 1024,
      memoryMib: taskMemoryMib(type.memoryMib, undefined),
      launchedAt: Date.now(),
      state: 'running',
      orderId: '',
      cluster: '',
      provider: '',
      offer: instanceType,
    };
  }

  /** What an agent cannot find out for itself where several share a machine. */
  #ofThisMachine(plan: HostPlan): object {
    const { place, containerdSocket } = this.#surroundings;
    const { paths } = place;
    const { network, ...runtime } = runtimeConfigOf(plan, paths, containerdSocket);
    const { hostAddress: _, ...rest } = network;
    return {
      reservedMemoryMib: this.#machine.memoryMib - plan.memoryMib,
      dataDirectory: paths.hostData(plan.name),
      runtime: { ...runtime, network: rest },
    };
  }
}

/** As the instance's user data would write it, with loopback addresses in the place of AWS' names. */
function agentFileOf({ world }: AwsCloud, { userData }: StartedInstance): object {
  const [, content] = /^cat >\/etc\/gantry\/agent\.json <<'(\w+)'\n([\s\S]*?)\1$/m.exec(userData)?.slice(1) ?? [];
  if (content === undefined) throw new Error('the user data write no /etc/gantry/agent.json');
  return z.looseObject({ platform: z.literal('ec2') }).parse(world.localized(JSON.parse(content)));
}

async function startMetadata(cloud: AwsCloud, sts: FakeSts, instance: StartedInstance): Promise<MetadataStandIn> {
  const { world, platform, region } = cloud;
  const { instanceId, instanceType, privateIp, userData, lifecycle, zone, tags, launchTemplateData } = instance;
  const roleArn = world.profileRoles.get(launchTemplateData.IamInstanceProfile?.Arn ?? '');
  const role = platform.resourcesOf('AWS::IAM::Role').find(({ attributes }) => attributes.Arn === roleArn);
  if (role === undefined) throw new Error('the stack has no role behind the launch template');
  const roleId = z.string().parse(role.attributes.RoleId);
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
    tags,
    role: { name: role.id, credentials: sts.assume({ roleId, sessionName: instanceId, roleName: role.id }) },
  });
}
