/**
 * What the function that buys hosts may do on EC2: launch from the launch templates of clusters, with this control plane's tag on all
 * that it launches, and end what has that tag. It works for clusters of other stacks too, so it is the tags and not ids that narrow it.
 */
import { Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { fleetTags } from '../../core/model/fleet-tags.ts';
import { acknowledgeWildcards } from '../acknowledge.ts';
import { hostRolePath } from '../host/host-role.ts';
import type { GantryFunction } from './functions.ts';

/** Asynchronously, and nothing else of it. */
export function grantWaking(wake: GantryFunction, fleet: GantryFunction): void {
  wake.addToRolePolicy(
    new iam.PolicyStatement({
      sid: 'WakeFleet',
      actions: ['lambda:InvokeFunction'],
      resources: [fleet.functionArn],
    }),
  );
}

/** `controlPlane`: the value of the tag by which it knows what is its own. */
export function grantBuying(fleet: GantryFunction, controlPlane: string): void {
  const stack = Stack.of(fleet);
  const ownTag = { [`aws:RequestTag/${fleetTags.controlPlane}`]: controlPlane };
  const places = ec2Places(stack);
  const { role: hostRoles, spotRole, images: publicParameters } = otherPlaces(stack);
  for (const statement of [
    ...launching(places, ownTag),
    statementOf('EndInstances', ['ec2:TerminateInstances'], [places.instance], {
      StringEquals: { [`aws:ResourceTag/${fleetTags.controlPlane}`]: controlPlane },
      StringLike: { [`aws:ResourceTag/${fleetTags.order}`]: '*' },
    }),
    statementOf('PassHostRoles', ['iam:PassRole'], [hostRoles], {
      StringEquals: { 'iam:PassedToService': 'ec2.amazonaws.com' },
    }),
    // EC2 needs the role for the first spot instance that an account ever buys.
    statementOf('MakeSpotRole', ['iam:CreateServiceLinkedRole'], [spotRole], {
      StringEquals: { 'iam:AWSServiceName': 'spot.amazonaws.com' },
    }),
    // Launch templates name the newest image by a parameter, which EC2 reads in the name of whoever launches.
    statementOf('FindImages', ['ssm:GetParameters'], [publicParameters]),
    statementOf('LookAround', reading, ['*']),
  ])
    fleet.addToRolePolicy(statement);
  acknowledgeWildcards(
    fleet.executionRole,
    [...Object.values(places), hostRoles, publicParameters],
    'Clusters of any stack may have hosts bought: tags, the path of their roles and the conditions of each statement narrow it.',
  );
  acknowledgeWildcards(fleet.executionRole, ['*'], 'What describes EC2 and its prices has no resource to name.');
}

const reading = [
  'ec2:DescribeFleets',
  'ec2:DescribeInstances',
  'ec2:DescribeInstanceTypeOfferings',
  'ec2:DescribeInstanceTypes',
  'ec2:DescribeSpotPriceHistory',
  'pricing:GetProducts',
];

type Place =
  | 'template'
  | 'image'
  | 'snapshot'
  | 'group'
  | 'subnet'
  | 'interface'
  | 'volume'
  | 'spot'
  | 'instance'
  | 'fleet';

function ec2Places(stack: Stack): Readonly<Record<Place, string>> {
  const own = (resource: string): string => stack.formatArn({ service: 'ec2', resource, resourceName: '*' });
  const anybodys = (resource: string): string =>
    stack.formatArn({ service: 'ec2', resource, resourceName: '*', account: '' });
  return {
    template: own('launch-template'),
    image: anybodys('image'),
    snapshot: anybodys('snapshot'),
    group: own('security-group'),
    subnet: own('subnet'),
    interface: own('network-interface'),
    volume: own('volume'),
    spot: own('spot-instances-request'),
    instance: own('instance'),
    fleet: own('fleet'),
  };
}

function otherPlaces(stack: Stack) {
  const ofIam = (resourceName: string): string =>
    stack.formatArn({ service: 'iam', region: '', resource: 'role', resourceName });
  return {
    role: ofIam(`${hostRolePath.slice(1)}*`),
    spotRole: ofIam('aws-service-role/spot.amazonaws.com/AWSServiceRoleForEC2Spot'),
    images: stack.formatArn({ service: 'ssm', account: '', resource: 'parameter', resourceName: 'aws/service/*' }),
  };
}

/** CreateFleet launches by RunInstances in the name of its caller: both are asked for. */
function launching(places: Readonly<Record<Place, string>>, ownTag: Readonly<Record<string, string>>) {
  const { template, image, snapshot, group, subnet, interface: card, volume, spot, instance, fleet } = places;
  const byTemplate = { ArnLike: { 'ec2:LaunchTemplate': template } };
  const [run, create] = ['ec2:RunInstances', 'ec2:CreateFleet'];
  return [
    statementOf('LaunchFromTemplates', [run, create], [template], {
      StringLike: { [`aws:ResourceTag/${fleetTags.cluster}`]: '*' },
    }),
    // What the template names may not be replaced by another.
    statementOf('LaunchWhatTemplatesName', [run], [image, snapshot, group], {
      ...byTemplate,
      Bool: { 'ec2:IsLaunchTemplateResource': 'true' },
    }),
    // The subnet is of the request, and so are what is made there and how big it is.
    statementOf('LaunchIntoSubnets', [run], [subnet, card, volume], byTemplate),
    statementOf('LaunchInstances', [run], [instance], { ...byTemplate, StringEquals: ownTag }),
    statementOf('LaunchSpot', [run], [spot]),
    // CreateFleet knows neither of the keys about templates.
    statementOf('CreateFleets', [create], [image, snapshot, group, subnet, card]),
    statementOf('CreateOwnFleets', [create], [fleet, instance, volume], { StringEquals: ownTag }),
    statementOf('TagWhatIsLaunched', ['ec2:CreateTags'], [fleet, instance, volume], {
      StringEquals: { 'ec2:CreateAction': ['RunInstances', 'CreateFleet'] },
    }),
  ];
}

const statementOf = (
  sid: string,
  actions: string[],
  resources: string[],
  conditions: Record<string, Record<string, string | string[]>> = {},
): iam.PolicyStatement => new iam.PolicyStatement({ sid, actions, resources, conditions });
