/**
 * What a host is made of, for one architecture: Amazon Linux 2023, an encrypted disk, instance metadata for the agent alone, and user
 * data. What size a host has is said by whoever launches it.
 */
import { type Size, Tags } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import type * as iam from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { fleetTags } from '../../core/model/fleet-tags.ts';
import type { HostArchitecture } from './node-binary.ts';

export interface LaunchTemplateOptions {
  readonly architecture: HostArchitecture;
  readonly machineImage?: ec2.IMachineImage;
  readonly diskSize: Size;
  readonly role: iam.IRole;
  readonly securityGroup: ec2.ISecurityGroup;
  readonly userData: string;
  /** Whose hosts they are. */
  readonly clusterName: string;
}

/** As whoever launches hosts names it. */
export interface GantryHostTemplate {
  readonly id: string;
  readonly version: string;
}

/** EC2 looks the image up at each launch: hosts start with the newest, and the template does not change for it. */
const newestImages: Readonly<Record<HostArchitecture, string>> = {
  x64: '/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64',
  arm64: '/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64',
};

export function makeLaunchTemplate(scope: Construct, id: string, options: LaunchTemplateOptions): GantryHostTemplate {
  const { architecture, machineImage, diskSize, role, securityGroup, userData, clusterName } = options;
  const template = new ec2.LaunchTemplate(scope, id, {
    machineImage: machineImage ?? ec2.MachineImage.resolveSsmParameterAtLaunch(newestImages[architecture]),
    userData: ec2.UserData.custom(userData),
    role,
    securityGroup,
    requireImdsv2: true,
    httpEndpoint: true,
    // A packet that a container routes through the host has one hop more: the answer does not reach it.
    httpPutResponseHopLimit: 1,
    blockDevices: [
      {
        deviceName: '/dev/xvda',
        volume: ec2.BlockDeviceVolume.ebs(diskSize.toGibibytes(), {
          volumeType: ec2.EbsDeviceVolumeType.GP3,
          encrypted: true,
          deleteOnTermination: true,
        }),
      },
    ],
  });
  Tags.of(template).add('Name', `gantry ${clusterName}`);
  // Who buys hosts may launch from templates with this tag alone.
  Tags.of(template).add(fleetTags.cluster, clusterName);
  return { id: template.launchTemplateId ?? '', version: template.latestVersionNumber };
}
