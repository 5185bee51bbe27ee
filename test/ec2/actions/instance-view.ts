/** An instance as EC2 shows it. */
import type { Instance } from '@aws-sdk/client-ec2';
import type { Ec2Instance, InstanceState } from '../instances.ts';
import { vpcId } from '../subnets.ts';
import { tagList } from '../tags.ts';

const codes: Readonly<Record<InstanceState, number>> = { pending: 0, running: 16, 'shutting-down': 32, terminated: 48 };

export const stateView = (state: InstanceState): { Code: number; Name: InstanceState } => ({
  Code: codes[state],
  Name: state,
});

export function instanceView(instance: Ec2Instance): Instance {
  const { type, data, state, stateReason, lifecycle } = instance;
  return {
    InstanceId: instance.instanceId,
    ImageId: data.ImageId,
    State: stateView(state),
    StateTransitionReason: '',
    ...(stateReason && { StateReason: { Code: stateReason.code, Message: stateReason.message } }),
    AmiLaunchIndex: instance.launchIndex,
    InstanceType: instance.data.InstanceType,
    LaunchTime: new Date(instance.launchedAt),
    Placement: { AvailabilityZone: instance.zone, Tenancy: 'default' },
    Monitoring: { State: data.Monitoring?.Enabled === true ? 'enabled' : 'disabled' },
    Architecture: type.architecture,
    ...(lifecycle === 'spot' && { InstanceLifecycle: 'spot' }),
    ClientToken: instance.clientToken,
    Tags: tagList(instance.tags),
    ...(data.KeyName !== undefined && { KeyName: data.KeyName }),
    ...(state !== 'terminated' && addresses(instance)),
    Hypervisor: 'xen',
    VirtualizationType: 'hvm',
    RootDeviceType: 'ebs',
    RootDeviceName: '/dev/xvda',
    PlatformDetails: 'Linux/UNIX',
    UsageOperation: 'RunInstances',
    EnaSupport: true,
    CpuOptions: { CoreCount: Math.max(1, type.vcpus / 2), ThreadsPerCore: Math.min(2, type.vcpus) },
  };
}

/** What is ended has no address any more. */
const addresses = ({ subnetId, privateIp }: Ec2Instance): Partial<Instance> => ({
  SubnetId: subnetId,
  VpcId: vpcId,
  PrivateIpAddress: privateIp,
  PrivateDnsName: `ip-${privateIp.replaceAll('.', '-')}.ec2.internal`,
  PublicDnsName: '',
});
