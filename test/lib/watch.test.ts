import { Match } from 'aws-cdk-lib/assertions';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { describe, expect, it, vi } from 'vitest';
import type { MetricName } from '../../control/deps.ts';
import { makeControlPlane } from './support/synth.ts';

// Synthesis is seconds of work for one core, which others may be using.
vi.setConfig({ testTimeout: 30_000 });

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

/** Every metric that the control plane counts. */
const counted: Readonly<Record<MetricName, true>> = {
  TasksPending: true,
  PlacementLatencyMs: true,
  PlacementRejected: true,
  PlacementTimedOut: true,
  CommitConflicts: true,
  HostSilent: true,
  HostDrift: true,
  HostsOrdered: true,
  LaunchFaults: true,
  HostsEnded: true,
  HostsNotJoined: true,
  OrphansEnded: true,
  LoopFailed: true,
};

describe('alarms and dashboard', () => {
  it('look at metrics that the control plane counts', () => {
    const looked = JSON.stringify(makeControlPlane().template.toJSON()).matchAll(/SELECT (?:SUM|MAX)\((\w+)\)/g);
    const names = new Set([...looked].map(([, name]) => name));
    expect(names.size).toBeGreaterThan(4);
    for (const name of names) expect(Object.keys(counted)).toContain(name);
  });
});
