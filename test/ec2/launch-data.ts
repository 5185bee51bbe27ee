/** What an instance is launched with: the template's data with the request's over it, checked as EC2 checks it before it launches. */
import { type RequestLaunchTemplateData, RequestLaunchTemplateData$, type TagSpecification } from '@aws-sdk/client-ec2';
import { Ec2Error, invalidValue, missingParameter, notBuilt } from './errors.ts';
import type { Catalog, InstanceTypeFacts } from './instance-types.ts';
import type { LaunchTemplates, TemplateVersion } from './launch-templates.ts';
import type { Subnet, Subnets } from './subnets.ts';

/** What of a template or request would change the outcome here, and is not built. */
const unknownHere = [
  'CapacityReservationSpecification',
  'DisableApiTermination',
  'HibernationOptions',
  'InstanceRequirements',
  'LicenseSpecifications',
] as const satisfies (keyof RequestLaunchTemplateData)[];

const maxUserDataBytes = 16_384;
const members: readonly string[] = RequestLaunchTemplateData$[4];

export type Architectures = Readonly<Record<string, 'x86_64' | 'arm64'>>;

/** The members of a request that a template may have too. */
export function dataOf(request: object): RequestLaunchTemplateData {
  return Object.fromEntries(Object.entries(request).filter(([name]) => members.includes(name)));
}

/** The request's members win as wholes; tags and placement are joined, the request's winning. */
export function merged(
  template: RequestLaunchTemplateData,
  request: RequestLaunchTemplateData,
): RequestLaunchTemplateData {
  const specifications = [...(template.TagSpecifications ?? []), ...(request.TagSpecifications ?? [])];
  const placement = { ...template.Placement, ...request.Placement };
  return {
    ...template,
    ...request,
    ...(specifications.length > 0 && { TagSpecifications: joinedTags(specifications) }),
    ...(Object.keys(placement).length > 0 && { Placement: placement }),
  };
}

function joinedTags(specifications: readonly TagSpecification[]): TagSpecification[] {
  const kinds = Map.groupBy(specifications, ({ ResourceType }) => ResourceType);
  return [...kinds].map(([ResourceType, ofKind]) => {
    const byKey = new Map(ofKind.flatMap(({ Tags }) => Tags ?? []).map((tag) => [tag.Key, tag]));
    return { ResourceType, Tags: [...byKey.values()] };
  });
}

interface TemplateReference {
  readonly LaunchTemplateId?: string | undefined;
  readonly LaunchTemplateName?: string | undefined;
  readonly Version?: string | undefined;
}

/** A launch by a template has tags that say so. */
export function fromTemplate(
  templates: LaunchTemplates,
  reference: TemplateReference | undefined,
): { data: RequestLaunchTemplateData; tags: Record<string, string>; version?: TemplateVersion; id?: string } {
  if (reference === undefined) return { data: {}, tags: {} };
  const { template, version } = templates.version(reference);
  const id = template.launchTemplateId;
  const tags = { 'aws:ec2launchtemplate:id': id, 'aws:ec2launchtemplate:version': `${version.version}` };
  return { data: version.data, tags, version, id };
}

/** The type of instance that is meant, once all that can be judged without capacity is in order. */
export function checkedType(
  data: RequestLaunchTemplateData,
  { catalog, images }: { catalog: Catalog; images: Architectures | undefined },
): InstanceTypeFacts {
  const unknown = unknownHere.find((name) => data[name] !== undefined);
  if (unknown !== undefined) throw notBuilt(unknown);
  if (data.ImageId === undefined) throw missingParameter('ImageId');
  if (data.InstanceType === undefined) throw missingParameter('InstanceType');
  const type = catalog.get(data.InstanceType);
  checkImage(data.ImageId, type, images);
  checkUserData(data.UserData);
  return type;
}

function checkImage(imageId: string, type: InstanceTypeFacts, images: Architectures | undefined): void {
  if (!/^(ami-[0-9a-f]{8,17}|resolve:ssm:.+)$/.test(imageId)) {
    throw new Ec2Error('InvalidAMIID.Malformed', `Invalid id: "${imageId}" (expecting "ami-...")`);
  }
  if (images === undefined) return;
  const architecture = images[imageId];
  if (architecture === undefined) {
    throw new Ec2Error('InvalidAMIID.NotFound', `The image id '[${imageId}]' does not exist`);
  }
  if (architecture !== type.architecture) {
    throw new Ec2Error(
      'InvalidParameterValue',
      `The architecture '${type.architecture}' of the specified instance type does not match the architecture '${architecture}' ` +
        'of the specified AMI. Specify an instance type and an AMI that have matching architectures, and try again.',
    );
  }
}

function checkUserData(userData: string | undefined): void {
  if (userData === undefined) return;
  if (!/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(userData)) {
    throw new Ec2Error('InvalidUserData.Malformed', 'Invalid BASE64 encoding of user data.');
  }
  if (Buffer.from(userData, 'base64').length > maxUserDataBytes) {
    throw new Ec2Error('InvalidParameterValue', `User data is limited to ${maxUserDataBytes} bytes`);
  }
}

/** The subnet that is meant, if one is: by itself, by the first network interface, or by a zone. */
export function meantSubnet(
  data: RequestLaunchTemplateData,
  named: { readonly subnetId?: string | undefined; readonly zone?: string | undefined },
  subnets: Subnets,
): Subnet | undefined {
  const subnetId = named.subnetId ?? data.NetworkInterfaces?.[0]?.SubnetId;
  const zone = named.zone ?? data.Placement?.AvailabilityZone;
  if (subnetId === undefined) return zone === undefined ? undefined : subnets.inZone(zone);
  const subnet = subnets.get(subnetId);
  if (zone !== undefined && zone !== subnet.zone)
    throw invalidValue('AvailabilityZone', zone, `The subnet is in ${subnet.zone}.`);
  return subnet;
}
