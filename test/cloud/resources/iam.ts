/** AWS::IAM::Role, Policy and ManagedPolicy: who may do what, as the services on loopback check it. */
import { z } from 'zod';
import { policyDocumentSchema } from '../iam/policy.ts';
import type { World } from '../world.ts';
import { propertiesOf, type Reader } from './reader.ts';

const inlineSchema = z.array(z.object({ PolicyName: z.string(), PolicyDocument: policyDocumentSchema })).default([]);

const roleSchema = z.object({
  RoleName: z.string().optional(),
  Policies: inlineSchema,
  ManagedPolicyArns: z.array(z.string()).default([]),
});

export const iamRole: Reader = (wanted) => {
  const { world, logicalId } = wanted;
  const { RoleName, Policies } = propertiesOf(roleSchema, wanted);
  const name = RoleName ?? `${world.options.stackName}-${logicalId}`;
  for (const { PolicyName, PolicyDocument } of Policies) attach(world, name, PolicyName, PolicyDocument.Statement);
  const roleId = `AROA${world.digest(logicalId, 17).toUpperCase()}`;
  return { id: name, attributes: { Arn: world.globalArn('iam', `role/${name}`), RoleId: roleId } };
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
