/**
 * The role of a cluster's hosts: what the agent itself needs, and nothing of what tasks might. EC2 alone may take it; its id is what the
 * control plane knows hosts by.
 */
import { Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { acknowledge, acknowledgeWildcards } from '../acknowledge.ts';

export interface HostRoleOptions {
  /** Whether hosts may pull from every repository of the account in this region. */
  readonly pullsFromAllRepositories: boolean;
  readonly sessionManager: boolean;
}

/** Of hosts' roles alone: who buys hosts may hand on no other. */
export const hostRolePath = '/gantry/hosts/';

export function makeHostRole(scope: Construct, id: string, options: HostRoleOptions): iam.Role {
  const role = new iam.Role(scope, id, {
    assumedBy: new iam.ServicePrincipal('ec2.amazonaws.com'),
    path: hostRolePath,
    description: 'Gantry: hosts of a cluster.',
  });
  role.addToPolicy(new iam.PolicyStatement({ actions: ['ecr:GetAuthorizationToken'], resources: ['*'] }));
  acknowledgeWildcards(role, ['*'], 'ecr:GetAuthorizationToken has no resource to name.');
  if (options.pullsFromAllRepositories) allowPulls(scope, role);
  if (options.sessionManager) allowSessions(role);
  return role;
}

function allowPulls(scope: Construct, role: iam.Role): void {
  const repositories = Stack.of(scope).formatArn({ service: 'ecr', resource: 'repository', resourceName: '*' });
  role.addToPolicy(
    new iam.PolicyStatement({
      actions: ['ecr:BatchCheckLayerAvailability', 'ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'],
      resources: [repositories],
    }),
  );
  acknowledgeWildcards(
    role,
    [repositories],
    'Task definitions are registered over the API too, with images that no template knows. pullFromAllRepositories: false narrows it.',
  );
}

function allowSessions(role: iam.Role): void {
  role.addManagedPolicy(iam.ManagedPolicy.fromAwsManagedPolicyName('AmazonSSMManagedInstanceCore'));
  acknowledge(role, {
    'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/AmazonSSMManagedInstanceCore]':
      'Session Manager says which actions its agent needs by this policy, and adds to it.',
  });
}
