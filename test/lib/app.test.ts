import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { appOptions } from '../../bin/app-options.ts';
import { testApp } from './support/synth.ts';

const appFile = fileURLToPath(new URL('../../bin/app.ts', import.meta.url));

describe('context', () => {
  it('is what cdk writes: text for what was given with -c, JSON for what stands in cdk.json', () => {
    expect(
      appOptions({
        'gantry:hosts': '3',
        'gantry:heartbeatSeconds': 20,
        'gantry:alarms': 'false',
        'gantry:tracing': true,
        'gantry:wireFront': 'http-api',
        'gantry:dist': '/somewhere',
        '@aws-cdk/core:newStyleStackSynthesis': true,
      }),
    ).toEqual({ hosts: 3, heartbeatSeconds: 20, alarms: false, tracing: true, wireFront: 'http-api' });
  });

  it.each([
    [{ hosts: 'many' }, 'gantry:hosts is "many", but must be a whole number from 0 to 100.'],
    [{ hosts: '101' }, 'gantry:hosts is "101", but must be a whole number from 0 to 100.'],
    [{ alarms: 'yes' }, 'gantry:alarms is "yes", but must be true or false.'],
    [
      { instanceType: 'large' },
      'gantry:instanceType is "large", but must be an instance type of EC2, for example t4g.small.',
    ],
    [{ wireFront: 'alb' }, 'gantry:wireFront is "alb", but must be cloudfront, http-api or function-url.'],
    [{ removalPolicy: 'keep' }, 'gantry:removalPolicy is "keep", but must be retain or destroy.'],
    [
      { stackName: '1st' },
      'gantry:stackName is "1st", but must be 1 to 128 letters, digits and hyphens, and begin with a letter.',
    ],
    [{ host: '3' }, 'gantry:host is not known; known are stackName, clusterName, hosts, instanceType,'],
  ])('is refused by its key: %o', (given, complaint) => {
    const context = Object.fromEntries(Object.entries(given).map(([key, value]) => [`gantry:${key}`, value]));
    expect(() => appOptions(context)).toThrow(`Context cannot be used:\n  ${complaint}`);
  });

  it('is refused whole: every wrong key is named', () => {
    expect(() => appOptions({ 'gantry:hosts': '-1', 'gantry:colour': 'red' })).toThrow(
      /gantry:hosts.*\n.*gantry:colour/,
    );
  });
});

/** As cdk starts it, on a machine with no AWS account and nothing to run but Node. */
function runApp(context: Readonly<Record<string, unknown>>) {
  using made = testApp();
  const outdir = made.app.outdir;
  const { status, stderr } = spawnSync(process.execPath, [appFile], {
    encoding: 'utf8',
    env: {
      PATH: '/nonexistent',
      HOME: outdir,
      CDK_OUTDIR: outdir,
      CDK_CONTEXT_JSON: JSON.stringify({ 'gantry:dist': made.dist, ...context }),
    },
  });
  const template = status === 0 ? readFileSync(join(outdir, 'Blue.template.json'), 'utf8') : undefined;
  return { status, stderr, template };
}

const templateSchema = z.object({ Resources: z.record(z.string(), z.object({ Type: z.string() })) });

describe('the app', () => {
  it('synthesizes a stack as its context says, with no account and no Docker', () => {
    const { status, stderr, template } = runApp({
      'gantry:stackName': 'Blue',
      'gantry:hosts': '1',
      'gantry:wireFront': 'http-api',
      'gantry:dashboard': 'false',
      'gantry:removalPolicy': 'destroy',
      '@aws-cdk/core:validateAgainstDefaultRules': false,
    });
    expect(stderr).not.toMatch(/error/i);
    expect(status).toBe(0);
    const types = Object.values(templateSchema.parse(JSON.parse(template ?? '')).Resources).map(({ Type }) => Type);
    expect(types.filter((type) => type === 'AWS::EC2::Instance')).toHaveLength(1);
    expect(types).not.toContain('AWS::CloudFront::Distribution');
    expect(types).not.toContain('AWS::CloudWatch::Dashboard');
  }, 30_000);

  it('says in one line each what is wrong with its context', () => {
    const { status, stderr } = runApp({ 'gantry:hosts': 'some' });
    expect(status).toBe(1);
    expect(stderr).toBe(
      'Context cannot be used:\n  gantry:hosts is "some", but must be a whole number from 0 to 100.\n',
    );
  }, 30_000);
});
