/** AWS::EC2::LaunchTemplate, Subnet and SecurityGroup: of EC2's own, and in use for as long as an instance is. */
import { isDeepStrictEqual } from 'node:util';
import { CreateLaunchTemplateCommand, CreateLaunchTemplateVersionCommand } from '@aws-sdk/client-ec2';
import { z } from 'zod';
import type { World } from '../world.ts';
import { inert } from './inert.ts';
import { type Made, propertiesOf, type Reader } from './reader.ts';

const tagsSchema = z.array(z.object({ Key: z.string(), Value: z.string() }));
const templateSchema = z.object({
  LaunchTemplateData: z.looseObject({
    ImageId: z.string(),
    IamInstanceProfile: z.object({ Arn: z.string() }).optional(),
  }),
  TagSpecifications: z.array(z.object({ ResourceType: z.literal('launch-template'), Tags: tagsSchema })).default([]),
});

export const launchTemplate: Reader = async (wanted) => {
  const { world, logicalId, former, properties } = wanted;
  const { LaunchTemplateData, TagSpecifications } = propertiesOf(templateSchema, wanted);
  if (former !== undefined && isDeepStrictEqual(former.properties, properties)) return former;
  const { id, version } =
    former === undefined
      ? await newTemplate(world, `${world.options.stackName}-${logicalId}`, LaunchTemplateData)
      : await newVersion(world, former, LaunchTemplateData);
  const profile = LaunchTemplateData.IamInstanceProfile?.Arn;
  world.place.templates.set(id, {
    tags: Object.fromEntries(TagSpecifications.flatMap(({ Tags }) => Tags).map(({ Key, Value }) => [Key, Value])),
    imageId: LaunchTemplateData.ImageId,
    roleArn: profile === undefined ? undefined : world.profileRoles.get(profile),
  });
  return { id, attributes: { LaunchTemplateId: id, LatestVersionNumber: version, DefaultVersionNumber: '1' } };
};

async function newTemplate({ place }: World, name: string, data: object) {
  const command = new CreateLaunchTemplateCommand({ LaunchTemplateName: name, LaunchTemplateData: data });
  const { LaunchTemplate } = await place.client.send(command);
  return { id: LaunchTemplate?.LaunchTemplateId ?? '', version: '1' };
}

/** CloudFormation makes another version of the same template. */
async function newVersion({ place }: World, { id }: Made, data: object) {
  const command = new CreateLaunchTemplateVersionCommand({ LaunchTemplateId: id, LaunchTemplateData: data });
  const { LaunchTemplateVersion } = await place.client.send(command);
  return { id, version: String(LaunchTemplateVersion?.VersionNumber) };
}

/** The one of its zone. */
export const subnet: Reader = (wanted) => {
  const { world, logicalId } = wanted;
  const { AvailabilityZone: zone } = propertiesOf(z.object({ AvailabilityZone: z.string() }), wanted);
  const id = world.place.ec2.subnets[zone];
  if (id === undefined) throw new Error(`${logicalId}: EC2 has no zone ${zone} here`);
  return {
    id,
    attributes: { SubnetId: id, AvailabilityZone: zone, VpcId: 'vpc-of-the-stack' },
    remove: async () => refuseWhileUsed(world, logicalId, ({ zone: at }) => at === zone),
  };
};

export const securityGroup: Reader = async (wanted) => ({
  ...(await inert(wanted)),
  remove: async () => refuseWhileUsed(wanted.world, wanted.logicalId, () => true),
});

type Instance = ReturnType<World['place']['ec2']['instances']>[number];

/** As EC2 does, of which CloudFormation tells the one who deletes. */
function refuseWhileUsed({ place }: World, logicalId: string, isIn: (instance: Instance) => boolean): void {
  const using = place.ec2.instances().filter((instance) => instance.state !== 'terminated' && isIn(instance));
  if (using.length === 0) return;
  const ids = using.map(({ instanceId }) => instanceId).join(', ');
  throw new Error(`DependencyViolation: ${logicalId} has dependencies and cannot be deleted: ${ids}`);
}
