/** AWS::IAM::Role, InstanceProfile, Policy and ManagedPolicy: who may do what, as the services on loopback check it. */
import { z } from 'zod';
import { policyDocumentSchema } from '../iam/policy.ts';
import type { World } from '../world.ts';
import { propertiesOf, type Reader } from './reader.ts';

const inlineSchema = z.array(z.object({ PolicyName: z.string(), PolicyDocument: policyDocumentSchema })).default([]);

const roleSchema = z.object({
  RoleName: z.string().optional(),
  Path: z.string().default('/'),
  Policies: inlineSchema,
  ManagedPolicyArns: z.array(z.string()).default([]),
});

export const iamRole: Reader = (wanted) => {
  const { world, logicalId } = wanted;
  const { RoleName, Path, Policies } = propertiesOf(roleSchema, wanted);
  const name = RoleName ?? `${world.options.stackName}-${logicalId}`;
  for (const { PolicyName, PolicyDocument } of Policies) attach(world, name, PolicyName, PolicyDocument.Statement);
  const roleId = `AROA${world.digest(logicalId, 17).toUpperCase()}`;
  const arn = world.globalArn('iam', `role${Path}${name}`);
  world.roleArns.set(name, arn);
  return { id: name, attributes: { Arn: arn, RoleId: roleId } };
};

const profileSchema = z.object({ Roles: z.tuple([z.string()]) });

export const instanceProfile: Reader = (wanted) => {
  const { world, logicalId } = wanted;
  const { Roles } = propertiesOf(profileSchema, wanted);
  const name = `${world.options.stackName}-${logicalId}`;
  const arn = world.globalArn('iam', `instance-profile/${name}`);
  world.profileRoles.set(arn, world.roleArns.get(Roles[0]) ?? '');
  return { id: name, attributes: { Arn: arn } };
};

const policySchema = z.object({ PolicyDocument: policyDocumentSchema, Roles: z.array(z.string()).default([]) });

export const iamPolicy: Reader = (wanted) => {
  const { world, logicalId } = wanted;
  const { PolicyDocument, Roles } = propertiesOf(policySchema, wanted);
  for (const role of Roles) attach(world, role, logicalId, PolicyDocument.Statement);
  return { id: logicalId, attributes: { Id: logicalId, PolicyArn: world.globalArn('iam', `policy/${logicalId}`) } };
};

function attach(
  world: World,
  role: string,
  policy: string,
  statements: z.infer<typeof policyDocumentSchema>['Statement'],
) {
  const policies = world.roles.get(role) ?? new Map();
  world.roles.set(role, policies.set(policy, statements));
}
