import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { appOptions } from '../../bin/app-options.ts';
import { contextOf, testApp } from './support/synth.ts';

const appFile = fileURLToPath(new URL('../../bin/app.ts', import.meta.url));
const sampleFile = fileURLToPath(new URL('../../examples/cdk/app.ts', import.meta.url));

describe('context', () => {
  it('is what cdk writes: text for what was given with -c, JSON for what stands in cdk.json', () => {
    expect(
      appOptions({
        'gantry:hosts': '3',
        'gantry:maxHosts': '25',
        'gantry:maxHourlyUsd': '2.5',
        'gantry:instanceTypes': 'm7i.*,c7i.large',
        'gantry:heartbeatSeconds': 20,
        'gantry:alarms': 'false',
        'gantry:tracing': true,
        'gantry:wireFront': 'http-api',
        'gantry:dist': '/somewhere',
        '@aws-cdk/core:newStyleStackSynthesis': true,
      }),
    ).toEqual({
      hosts: 3,
      maxHosts: 25,
      maxHourlyUsd: 2.5,
      instanceTypes: ['m7i.*', 'c7i.large'],
      heartbeatSeconds: 20,
      alarms: false,
      tracing: true,
      wireFront: 'http-api',
    });
  });

  it.each([
    [{ hosts: 'many' }, 'gantry:hosts is "many", but must be a whole number from 0 to 100.'],
    [{ hosts: '101' }, 'gantry:hosts is "101", but must be a whole number from 0 to 100.'],
    [{ alarms: 'yes' }, 'gantry:alarms is "yes", but must be true or false.'],
    [
      { instanceType: 'large' },
      'gantry:instanceType is "large", but must be an instance type of EC2, for example t4g.small.',
    ],
    [{ maxHourlyUsd: '0' }, 'gantry:maxHourlyUsd is "0", but must be a number of dollars an hour, more than 0.'],
    [
      { instanceTypes: 'm7i.* c7i.*' },
      'gantry:instanceTypes is "m7i.* c7i.*", but must be names of instance types with',
    ],
    [{ market: 'cheap' }, 'gantry:market is "cheap", but must be on-demand, spot or spot-first.'],
    [{ wireFront: 'alb' }, 'gantry:wireFront is "alb", but must be cloudfront, http-api or function-url.'],
    [{ removalPolicy: 'keep' }, 'gantry:removalPolicy is "keep", but must be retain or destroy.'],
    [
      { stackName: '1st' },
      'gantry:stackName is "1st", but must be 1 to 128 letters, digits and hyphens, and begin with a letter.',
    ],
    [
      { restoredTableStream: 'gantry-restored' },
      'gantry:restoredTableStream is "gantry-restored", but must be the ARN of a table\'s stream.',
    ],
    [{ host: '3' }, 'gantry:host is not known; known are stackName, clusterName, maxHosts, maxHourlyUsd,'],
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
function runApp(stackName: string, context: Readonly<Record<string, unknown>>, args: readonly string[] = [appFile]) {
  using made = testApp();
  const outdir = made.app.outdir;
  const { status, stderr } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    env: {
      PATH: '/nonexistent',
      // Where the library keeps what is costly to make.
      HOME: process.env.HOME,
      CDK_OUTDIR: outdir,
      CDK_CONTEXT_JSON: JSON.stringify({
        ...contextOf(made.dist),
        '@aws-cdk/core:validateAgainstDefaultRules': false,
        ...context,
      }),
    },
  });
  if (status !== 0) return { status, stderr, types: [] };
  const template = readFileSync(join(outdir, `${stackName}.template.json`), 'utf8');
  const { Resources } = templateSchema.parse(JSON.parse(template));
  return { status, stderr, types: Object.values(Resources).map(({ Type }) => Type) };
}

const templateSchema = z.object({ Resources: z.record(z.string(), z.object({ Type: z.string() })) });

describe('the app', () => {
  it('synthesizes a stack as its context says, with no account and no Docker', () => {
    const { status, stderr, types } = runApp('Blue', {
      'gantry:stackName': 'Blue',
      'gantry:hosts': '1',
      'gantry:market': 'spot-first',
      'gantry:instanceType': 't4g.small',
      'gantry:wireFront': 'http-api',
      'gantry:dashboard': 'false',
      'gantry:removalPolicy': 'destroy',
      'gantry:restoredTableStream':
        'arn:aws:dynamodb:eu-west-1:123456789012:table/before/stream/2026-01-01T00:00:00.000',
    });
    expect(stderr).not.toMatch(/error/i);
    expect(status).toBe(0);
    expect(types.filter((type) => type === 'AWS::EC2::Instance')).toHaveLength(1);
    expect(types).toContain('Custom::GantryCapacityProvider');
    expect(types).not.toContain('AWS::CloudFront::Distribution');
    expect(types).not.toContain('AWS::CloudWatch::Dashboard');
    expect(types).not.toContain('AWS::DynamoDB::Table');
  });

  it('says in one line each what is wrong with its context', () => {
    const { status, stderr } = runApp('Gantry', { 'gantry:hosts': 'some' });
    expect(status).toBe(1);
    expect(stderr).toBe(
      'Context cannot be used:\n  gantry:hosts is "some", but must be a whole number from 0 to 100.\n',
    );
  });
});

describe('the sample app', () => {
  it('synthesizes over the library that a package would bring', () => {
    const library = new URL('../../lib/index.ts', import.meta.url).href;
    const hook = `import { registerHooks } from 'node:module';
      const library = ${JSON.stringify(library)};
      registerHooks({ resolve: (name, context, next) => next(name === 'gantry/cdk' ? library : name, context) });`;
    const { status, stderr, types } = runApp('Reports', {}, ['--import', `data:text/javascript,${hook}`, sampleFile]);
    expect(stderr).not.toMatch(/error/i);
    expect(status).toBe(0);
    expect(types).toEqual(expect.arrayContaining(['Custom::GantryCapacityProvider', 'Custom::GantryTaskDefinition']));
  });
});
