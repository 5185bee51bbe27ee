import { Duration, Stack } from 'aws-cdk-lib';
import { EventBus } from 'aws-cdk-lib/aws-events';
import { ApplicationLogLevel } from 'aws-cdk-lib/aws-lambda';
import { describe, expect, it } from 'vitest';
import type { GantryControlPlaneProps } from '../../lib/control-plane-props.ts';
import { GantryControlPlane } from '../../lib/gantry-control-plane.ts';
import { testApp } from './support/synth.ts';

/** Made, but not synthesized. */
function construct(propsOf: (stack: Stack) => GantryControlPlaneProps): GantryControlPlane {
  using made = testApp();
  const stack = new Stack(made.app, 'Test');
  return new GantryControlPlane(stack, 'ControlPlane', propsOf(stack));
}

describe('a wrong prop fails at synth, with its name, its value and the right form', () => {
  const wrong: [GantryControlPlaneProps, string][] = [
    [{ heartbeat: Duration.seconds(5) }, 'heartbeat is 5, but must be a whole number of seconds from 10 to 300.'],
    [{ heartbeat: Duration.minutes(6) }, 'heartbeat is 360, but must be a whole number of seconds from 10 to 300.'],
    [
      { taskRetention: Duration.days(400) },
      'taskRetention is 9600, but must be a whole number of hours from 1 to 8760.',
    ],
    [
      { hostsReservedConcurrency: -1 },
      'hostsReservedConcurrency is -1, but must be a whole number of invocations from 0 to 100000.',
    ],
    [
      { throttle: { rateLimit: 0, burstLimit: 10 } },
      'throttle.rateLimit is 0, but must be a whole number of requests a second from 1 to 100000.',
    ],
    [
      { wireThrottle: { rateLimit: 10, burstLimit: 0.5 } },
      'wireThrottle.burstLimit is 0.5, but must be a whole number of requests from 1 to 100000.',
    ],
    [
      { keyReads: { rateLimit: 10, burstLimit: 0 } },
      'keyReads.burstLimit is 0, but must be a whole number of requests from 1 to 100000.',
    ],
    [{ metricsNamespace: 'AWS/Gantry' }, `metricsNamespace is "AWS/Gantry", but must be 1 to 255 letters`],
    [{ metricsNamespace: 'My "space"' }, `metricsNamespace is "My \\"space\\"", but must be 1 to 255 letters`],
    [{ logLevel: ApplicationLogLevel.TRACE }, 'logLevel is "TRACE", but must be DEBUG, INFO, WARN or ERROR.'],
  ];

  it.each(wrong)('%o', (props, message) => {
    expect(() => construct(() => props)).toThrow(`Test/ControlPlane: ${message}`);
  });

  it('a bus without events', () => {
    expect(() =>
      construct((stack) => ({ events: false, eventBus: EventBus.fromEventBusName(stack, 'Bus', 'mine') })),
    ).toThrow('Test/ControlPlane: eventBus is "Test/Bus", but must be left out where events are switched off.');
  });
});

/** What synthesis says of the control plane beside its template: `[level, text]`. */
function remarks(props: GantryControlPlaneProps): [string, unknown][] {
  const { metadata } = construct(() => props).node;
  return metadata
    .filter(({ type }) => /^aws:cdk:(info|warning|error)$/.test(type))
    .map(({ type, data }) => [type, data]);
}

describe('what is seldom meant', () => {
  it('is warned of: access keys that are not sealed', () => {
    expect(remarks({ accessKeyEncryption: false, alarms: false })).toEqual([
      ['aws:cdk:warning', expect.stringContaining('not sealed')],
    ]);
  });

  it('is said: alarms that tell nobody', () => {
    expect(remarks({})).toEqual([['aws:cdk:info', expect.stringContaining('alarmTopic')]]);
  });
});
