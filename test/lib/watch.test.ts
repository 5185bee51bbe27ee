import { Match } from 'aws-cdk-lib/assertions';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { describe, expect, it } from 'vitest';
import { countedMetrics } from '../../control/metrics/table.ts';
import { makeControlPlane } from './support/synth.ts';

describe('alarms', () => {
  const { template: told } = makeControlPlane((stack) => ({ alarmTopic: new Topic(stack, 'Topic') }));
  const alarms = Object.values(told.findResources('AWS::CloudWatch::Alarm'));

  it('tell the topic, each of them', () => {
    const [topic] = Object.keys(told.findResources('AWS::SNS::Topic'));
    expect(alarms.length).toBeGreaterThan(15);
    for (const { Properties } of alarms) expect(Properties.AlarmActions).toEqual([{ Ref: topic }]);
  });

  it('see a sweep that does not run at all', () => {
    told.hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmDescription: Match.stringLikeRegexp("'sweep' has not run"),
      ComparisonOperator: 'LessThanThreshold',
      TreatMissingData: 'breaching',
    });
  });

  it('see a silent host of any cluster', () => {
    told.hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmDescription: Match.stringLikeRegexp('a host has sent no heartbeat'),
      Metrics: [
        Match.objectLike({
          Expression: Match.stringLikeRegexp(
            `^SELECT SUM\\(HostSilent\\) FROM "Gantry" WHERE service = 'TestControlPlane`,
          ),
        }),
      ],
    });
  });
});

describe('alarms and dashboard', () => {
  it('look at metrics that the control plane counts', () => {
    const looked = JSON.stringify(makeControlPlane().template.toJSON()).matchAll(/SELECT (?:SUM|MAX)\((\w+)\)/g);
    const names = new Set([...looked].map(([, name]) => name));
    expect(names.size).toBeGreaterThan(4);
    for (const name of names) expect(Object.keys(countedMetrics)).toContain(name);
  });
});
