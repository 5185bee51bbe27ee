import { App, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { AnyPrincipal, Policy, Role } from 'aws-cdk-lib/aws-iam';
import { Function as LambdaFunctionResource } from 'aws-cdk-lib/aws-lambda';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { operations } from '../../core/api/operations.ts';
import type { IGantryControlPlane } from '../../lib/control-plane.ts';
import { GantryControlPlane } from '../../lib/gantry-control-plane.ts';

const attributes = {
  apiId: 'api1',
  webSocketApiId: 'ws1',
  endpoint: 'https://api1.example',
  resourcesFunctionArn: 'arn:aws:lambda:eu-west-1:123456789012:function:resources',
  tableName: 'table1',
  eventBusName: 'bus1',
  metricsServiceName: 'service1',
};

function imported(): { readonly controlPlane: IGantryControlPlane; readonly stack: Stack } {
  const stack = new Stack(new App({ context: { '@aws-cdk/core:validateAgainstDefaultRules': false } }), 'Other', {
    env: { account: '123456789012', region: 'eu-west-1' },
  });
  return { stack, controlPlane: GantryControlPlane.fromControlPlaneAttributes(stack, 'ControlPlane', attributes) };
}

const documentSchema = z.object({
  Statement: z.array(z.object({ Action: z.literal('execute-api:Invoke'), Resource: z.unknown() })),
});

/** `METHOD/path` of each route that a role is allowed after it was granted. */
function granted(grant: (controlPlane: IGantryControlPlane, role: Role) => void): string[] {
  const { controlPlane, stack } = imported();
  const role = new Role(stack, 'Role', { assumedBy: new AnyPrincipal() });
  grant(controlPlane, role);
  const policy = role.node.findChild('DefaultPolicy');
  if (!(policy instanceof Policy)) throw new Error('the role was granted nothing');
  return documentSchema
    .parse(stack.resolve(policy.document))
    .Statement.flatMap(({ Resource }) => Resource)
    .map((arn) => {
      const text = JSON.stringify(arn);
      return /execute-api:eu-west-1:123456789012:api1\/\$default\/([^"]+)"/.exec(text)?.[1] ?? text;
    });
}

/** Whether IAM lets a call pass, by the patterns it was given. */
const allows = (patterns: readonly string[], call: string): boolean =>
  patterns.some((pattern) =>
    new RegExp(`^${pattern.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`).test(call),
  );

const callOf = (path: string): string =>
  path
    .replace('{cluster}', 'mine')
    .replace('{task}', 'a1b2')
    .replace('{host}', 'host-1')
    .replaceAll(/\{\w+\}/g, 'web:3');

describe('grants', () => {
  const all = Object.values(operations).map(({ action, rest }) => ({
    action,
    call: `${rest.method}${callOf(rest.path)}`,
  }));

  it('of reading open every route that reads and none that does not', () => {
    const patterns = granted((controlPlane, role) => controlPlane.grantRead(role));
    expect(all.filter(({ call }) => allows(patterns, call))).toEqual(all.filter(({ action }) => action === 'read'));
  });

  it('of administering open every route', () => {
    const patterns = granted((controlPlane, role) => controlPlane.grantAdminister(role));
    expect(all.filter(({ call }) => !allows(patterns, call))).toEqual([]);
    expect(allows(patterns, 'POST/hosts/v1/register')).toBe(false);
  });

  it('for one cluster open no other cluster', () => {
    const patterns = granted((controlPlane, role) => controlPlane.grantActions(role, ['run', 'read'], 'mine'));
    expect(allows(patterns, 'POST/v1/clusters/mine/tasks')).toBe(true);
    expect(allows(patterns, 'POST/v1/clusters/mine/tasks/a1b2/stop')).toBe(true);
    expect(allows(patterns, 'POST/v1/clusters/other/tasks')).toBe(false);
    expect(allows(patterns, 'GET/v1/clusters/other/tasks')).toBe(false);
    expect(allows(patterns, 'POST/v1/task-definitions')).toBe(false);
  });
});

describe('an imported control plane', () => {
  it('has the endpoint for the wire where no other is given', () => {
    expect(imported().controlPlane.wireEndpoint).toBe(attributes.endpoint);
  });

  it('has rules on its bus', () => {
    const { controlPlane, stack } = imported();
    const target = LambdaFunctionResource.fromFunctionArn(stack, 'Target', attributes.resourcesFunctionArn);
    controlPlane.onTaskStateChange('Stopped', {
      target: new LambdaFunction(target),
      eventPattern: { detail: { lastStatus: ['STOPPED'] } },
    });
    controlPlane.onContainerInstanceStateChange('Hosts');
    const template = Template.fromStack(stack);
    template.hasResourceProperties('AWS::Events::Rule', {
      EventBusName: 'bus1',
      EventPattern: {
        source: ['gantry'],
        'detail-type': ['ECS Task State Change'],
        detail: { lastStatus: ['STOPPED'] },
      },
      Targets: [Match.objectLike({ Arn: attributes.resourcesFunctionArn })],
    });
    template.hasResourceProperties('AWS::Events::Rule', {
      EventPattern: { source: ['gantry'], 'detail-type': ['ECS Container Instance State Change'] },
    });
  });

  it('has metrics of its own and of its API', () => {
    const { controlPlane } = imported();
    expect(controlPlane.metric('TasksPending', { dimensionsMap: { cluster: 'mine' } })).toMatchObject({
      namespace: 'Gantry',
      metricName: 'TasksPending',
      dimensions: { service: 'service1', cluster: 'mine' },
    });
    expect(controlPlane.metricApi('5xx')).toMatchObject({ namespace: 'AWS/ApiGateway', dimensions: { ApiId: 'api1' } });
  });

  it('needs the name of its metrics for those', () => {
    const { metricsServiceName: _, ...unnamed } = attributes;
    const controlPlane = GantryControlPlane.fromControlPlaneAttributes(imported().stack, 'Unnamed', unnamed);
    expect(() => controlPlane.metric('TasksPending')).toThrow(/^Other\/Unnamed: metricsServiceName is undefined/);
  });

  it('handles resources of other stacks', () => {
    const { controlPlane, stack } = imported();
    const properties = { ClusterName: 'mine' };
    controlPlane.newCustomResource(stack, 'Mine', { resourceType: 'Custom::GantryCluster', properties });
    Template.fromStack(stack).hasResourceProperties('Custom::GantryCluster', {
      ServiceToken: attributes.resourcesFunctionArn,
      ServiceTimeout: '960',
      ClusterName: 'mine',
    });
  });
});
