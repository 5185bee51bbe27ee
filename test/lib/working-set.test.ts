import { Validations } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { AwsSolutionsChecks } from 'cdk-nag';
import { afterAll, describe, expect, it } from 'vitest';
import { GantryStack } from '../../lib/gantry-stack.ts';
import { storyOf } from './support/story.ts';
import { testApp } from './support/synth.ts';

const made = testApp({ validated: true });
afterAll(() => made[Symbol.dispose]());
const checks = new AwsSolutionsChecks(made.app);
Validations.of(made.app).addPlugins(checks);
const stack = new GantryStack(made.app, 'Gantry', { alarmEmail: 'ops@example.com' });
const template = Template.fromStack(stack);

describe('what cdk deploy makes', () => {
  it('is what was reviewed', async () => {
    await expect(storyOf(template)).toMatchFileSnapshot('./golden/gantry-stack.yaml');
  });

  it('has outputs by fixed names', () => {
    expect(Object.keys(template.toJSON().Outputs).toSorted()).toEqual([
      'ApiId',
      'ClusterName',
      'Endpoint',
      'EventBusName',
      'MetricsServiceName',
      'ResourcesFunctionArn',
      'TableName',
      'WebSocketApiId',
      'WireEndpoint',
    ]);
  });

  it('deletes hosts before the guard asks, and the guard before the rest', () => {
    const [guard] = Object.keys(template.findResources('Custom::GantryGuard'));
    for (const type of ['Custom::GantryCluster', 'Custom::GantryCapacityProvider'])
      for (const { DependsOn } of Object.values(template.findResources(type)))
        expect([DependsOn].flat()).toContain(guard);
  });
});

describe("cdk-nag's AwsSolutions", () => {
  it('has no finding that is not explained beside its construct', () => {
    const { violations } = checks.validateScope(made.app);
    const found = violations.map(({ ruleName, violatingResources }) => [
      ruleName,
      ...violatingResources.map(({ constructPath }) => constructPath),
    ]);
    expect(found).toEqual([]);
  });

  it('would find what is not explained', () => {
    using other = testApp();
    // With what the other stack does not have.
    const unexplained = new GantryStack(other.app, 'Gantry', { hosts: 1, maxHosts: 0 });
    const { constructPath } = openTopic(unexplained);
    expect(new AwsSolutionsChecks(other.app).validateScope(other.app).violations).toMatchObject([
      { ruleName: 'AwsSolutions-SNS3', violatingResources: [{ constructPath }] },
    ]);
  });
});

/** A topic that may be published to without TLS. */
function openTopic(scope: GantryStack): { constructPath: string } {
  const topic = new Topic(scope, 'Open');
  return { constructPath: `${topic.node.path}/Resource` };
}
