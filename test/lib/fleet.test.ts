/** What of the template buys hosts: what wakes it, and what EC2 would let it do, as IAM decides. */
import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { type Call, isAllowed, policyDocumentSchema } from '../cloud/iam/policy.ts';
import { Resolver } from '../cloud/template/intrinsics.ts';
import { templateSchema } from '../cloud/template/template.ts';
import { makeControlPlane } from './support/synth.ts';

const { template } = makeControlPlane();
const resolver = new Resolver(templateSchema.parse(template.toJSON()), {
  region: 'eu-central-1',
  accountId: '123456789012',
  stackName: 'Test',
  stackId: 'arn:aws:cloudformation:eu-central-1:123456789012:stack/Test/0000-uuid',
  parameters: {},
  attribute: (id, attribute = 'Ref') => `${id}.${attribute}`,
});

/** The policies of a function as IAM has them. */
const statementsOf = (name: 'Fleet' | 'Wake' | 'Sweep') =>
  Object.entries(template.findResources('AWS::IAM::Policy'))
    .filter(([id]) => id.startsWith(`ControlPlane${name}Role`))
    .flatMap(([, { Properties }]) => policyDocumentSchema.parse(resolver.resolve(Properties.PolicyDocument)).Statement);

const ec2 = (resource: string, account = '123456789012'): string => `arn:aws:ec2:eu-central-1:${account}:${resource}`;
const launchTemplate = ec2('launch-template/lt-1');

const [fleet] = Object.values(
  template.findResources('AWS::Lambda::Function', {
    Properties: { Description: Match.stringLikeRegexp('buys hosts') },
  }),
);
const own = String(resolver.resolve(fleet?.Properties.Environment.Variables.GANTRY_CONTROL_PLANE));

describe('the function that buys', () => {
  const statements = statementsOf('Fleet');
  const may = (action: string, resource: string, context: Call['context'] = {}): boolean =>
    isAllowed(statements, { action, resource, context });
  const tagged = { 'aws:RequestTag/gantry:control-plane': [own] };
  const fromTemplate = { 'ec2:LaunchTemplate': [launchTemplate] };

  it('has a name for what is its own, which no other stack has', () => {
    expect(own).toMatch(/^TestControlPlane\w+\/0000-uuid$/);
  });

  it.each(['ec2:RunInstances', 'ec2:CreateFleet'])('launches from templates of clusters alone: %s', (action) => {
    expect(may(action, launchTemplate, { 'aws:ResourceTag/gantry:cluster': ['blue'] })).toBe(true);
    expect(may(action, launchTemplate, { 'aws:ResourceTag/team': ['blue'] })).toBe(false);
    expect(may(action, ec2('instance/*'), { ...tagged, ...fromTemplate })).toBe(true);
    expect(may(action, ec2('instance/*'), fromTemplate)).toBe(false);
    expect(
      may(action, ec2('instance/*'), { 'aws:RequestTag/gantry:control-plane': ['Other/uuid'], ...fromTemplate }),
    ).toBe(false);
  });

  it('launches nothing without a template, nor with another image or group than it names', () => {
    for (const resource of [ec2('image/ami-1', ''), ec2('security-group/sg-1')]) {
      const named = { ...fromTemplate, 'ec2:IsLaunchTemplateResource': ['true'] };
      expect(may('ec2:RunInstances', resource, named)).toBe(true);
      expect(may('ec2:RunInstances', resource, { ...named, 'ec2:IsLaunchTemplateResource': ['false'] })).toBe(false);
      expect(may('ec2:RunInstances', resource)).toBe(false);
    }
    expect(may('ec2:RunInstances', ec2('subnet/subnet-1'), fromTemplate)).toBe(true);
    expect(may('ec2:RunInstances', ec2('subnet/subnet-1'))).toBe(false);
    expect(may('ec2:RunInstances', ec2('instance/*'), tagged)).toBe(false);
    expect(may('ec2:RunInstances', ec2('key-pair/mine'), fromTemplate)).toBe(false);
  });

  it('tags what it makes, and nothing that is there', () => {
    expect(may('ec2:CreateTags', ec2('instance/i-1'), { 'ec2:CreateAction': ['RunInstances'] })).toBe(true);
    expect(may('ec2:CreateTags', ec2('instance/i-1'))).toBe(false);
  });

  it('ends what it bought, and nothing else', () => {
    const bought = { 'aws:ResourceTag/gantry:control-plane': [own], 'aws:ResourceTag/gantry:order': ['o-1'] };
    expect(may('ec2:TerminateInstances', ec2('instance/i-1'), bought)).toBe(true);
    for (const tag of Object.keys(bought))
      expect(may('ec2:TerminateInstances', ec2('instance/i-1'), { ...bought, [tag]: [] })).toBe(false);
    const others = { ...bought, 'aws:ResourceTag/gantry:control-plane': ['Other/uuid'] };
    expect(may('ec2:TerminateInstances', ec2('instance/i-1'), others)).toBe(false);
  });

  it('hands on roles of hosts to EC2 alone', () => {
    const role = 'arn:aws:iam::123456789012:role/gantry/hosts/Blue';
    const toEc2 = { 'iam:PassedToService': ['ec2.amazonaws.com'] };
    expect(may('iam:PassRole', role, toEc2)).toBe(true);
    expect(may('iam:PassRole', role, { 'iam:PassedToService': ['lambda.amazonaws.com'] })).toBe(false);
    expect(may('iam:PassRole', 'arn:aws:iam::123456789012:role/Admin', toEc2)).toBe(false);
  });

  it('reads public parameters, which name images, and none of the account', () => {
    const parameter = (account: string, name: string) => `arn:aws:ssm:eu-central-1:${account}:parameter/${name}`;
    expect(may('ssm:GetParameters', parameter('', 'aws/service/ami-amazon-linux-latest/x'))).toBe(true);
    expect(may('ssm:GetParameters', parameter('123456789012', 'secret'))).toBe(false);
  });

  it('alone may touch instances', () => {
    for (const name of ['Wake', 'Sweep'] as const)
      expect(
        statementsOf(name)
          .flatMap(({ Action = [] }) => Action)
          .filter((action) => /^(ec2|iam|ssm):/.test(action)),
      ).toEqual([]);
  });
});

describe('what wakes it', () => {
  it('is the minute, and the function that sees what waits', () => {
    template.resourcePropertiesCountIs('AWS::Scheduler::Schedule', { ScheduleExpression: 'rate(1 minute)' }, 2);
    const invoked = statementsOf('Wake').filter(({ Action }) => Action?.includes('lambda:InvokeFunction'));
    expect(invoked.map(({ Resource }) => Resource)).toEqual([[expect.stringMatching(/^ControlPlaneFleet\w+\.Arn$/)]]);
  });

  it('is never tried late: the next minute does the same', () => {
    template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', {
      MaximumRetryAttempts: 0,
      MaximumEventAgeInSeconds: 60,
    });
  });

  it.each([
    ['aws.ec2', 'EC2 Spot Instance Interruption Warning'],
    ['aws.ec2', 'EC2 Instance Rebalance Recommendation'],
    ['aws.health', 'AWS Health Event'],
  ])('leaves to the sweep what %s says: %s', (source, detailType) => {
    template.hasResourceProperties('AWS::Events::Rule', {
      EventPattern: Match.objectLike({ source: [source], 'detail-type': [detailType] }),
      Targets: [Match.objectLike({ Arn: { 'Fn::GetAtt': [Match.stringLikeRegexp('^ControlPlaneSweep'), 'Arn'] } })],
    });
  });
});

describe('switched off', () => {
  const { template: off } = makeControlPlane({ fleet: false });

  it('leaves nothing that could buy, nor what watches it', () => {
    const text = JSON.stringify(off.toJSON());
    for (const trace of ['ec2:', 'iam:PassRole', 'GANTRY_FLEET_FUNCTION', 'HostsNotJoined'])
      expect(text).not.toContain(trace);
    off.resourcePropertiesCountIs('AWS::Scheduler::Schedule', {}, 1);
  });
});
