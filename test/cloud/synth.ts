/**
 * A stack of the construct library, synthesized in this process out of bundles that are built for it, as `cdk synth` would. What is
 * in the stack beside the control plane is the caller's.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { App, CfnOutput, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { buildAgent } from '../../bin/build-agent.ts';
import { buildLambdas } from '../../bin/build-lambdas.ts';
import type { GantryControlPlaneProps } from '../../lib/control-plane-props.ts';
import { GantryControlPlane } from '../../lib/gantry-control-plane.ts';
import { cached } from './synth-cache.ts';
import { readStackSource, type StackSource } from './template/template.ts';

const repository = fileURLToPath(new URL('../../', import.meta.url));

export interface SynthOptions {
  readonly controlPlane?: GantryControlPlaneProps;
  /** What else is in the stack. */
  readonly more?: (stack: Stack, controlPlane: GantryControlPlane) => void;
}

/** Its files are gone when it is disposed of, unless others use them too. */
export interface Synthesized extends StackSource, Disposable {}

const stackName = 'Gantry';
const assembly = 'cdk.out';

export async function synthesize(options: SynthOptions = {}): Promise<Synthesized> {
  if (options.controlPlane === undefined && options.more === undefined) {
    const directory = await cached((kept) => assemble(kept, {}));
    return { ...readStackSource(join(directory, assembly), stackName), [Symbol.dispose]: () => {} };
  }
  const directory = mkdtempSync(join(tmpdir(), 'gantry-synth-'));
  await assemble(directory, options);
  return {
    ...readStackSource(join(directory, assembly), stackName),
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  };
}

async function assemble(directory: string, { controlPlane: props, more }: SynthOptions): Promise<void> {
  const dist = join(directory, 'dist');
  await Promise.all([buildLambdas(repository, dist), buildAgent(repository, dist)]);
  const app = new App({
    outdir: join(directory, assembly),
    context: { 'gantry:dist': dist },
    analyticsReporting: false,
  });
  const stack = new Stack(app, stackName);
  const controlPlane = new GantryControlPlane(stack, 'ControlPlane', {
    removalPolicy: RemovalPolicy.DESTROY,
    heartbeat: Duration.seconds(10),
    ...props,
  });
  new CfnOutput(stack, 'Endpoint', { value: controlPlane.endpoint });
  new CfnOutput(stack, 'WireEndpoint', { value: controlPlane.wireEndpoint });
  more?.(stack, controlPlane);
  app.synth();
}
