/** Synthesis in this process, over parts that were not built: what the constructs carry is no matter of their templates. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import type { GantryControlPlaneProps } from '../../../lib/control-plane-props.ts';
import { GantryControlPlane } from '../../../lib/gantry-control-plane.ts';
import { nodeContext, nodePackages } from '../../../lib/host/node-binary.ts';

/** What installs the agent: read at synth, because the user data of hosts has parts of it. */
export const installation: string = fileURLToPath(new URL('../../../agent/install', import.meta.url));

const functionNames = ['api', 'hosts', 'wake', 'events', 'sweep', 'fleet', 'resources'];

export interface TestApp extends Disposable {
  readonly app: App;
  /** What stands for the built parts. */
  readonly dist: string;
}

/**
 * Everything that it writes is gone when it is disposed. CloudFormation's own rules are checked only where a test is about them: loading
 * them takes longer than all the rest.
 */
export function testApp({ validated = false } = {}): TestApp {
  const directory = mkdtempSync(join(tmpdir(), 'gantry-lib-test-'));
  const dist = join(directory, 'dist');
  for (const name of functionNames) writePart(join(dist, 'lambdas', name), 'index.mjs');
  writePart(join(dist, 'agent'), 'agent.mjs');
  cpSync(installation, join(dist, 'agent'), { recursive: true });
  writePart(dist, 'node');
  return {
    dist,
    app: new App({
      outdir: join(directory, 'cdk.out'),
      context: { ...contextOf(dist), '@aws-cdk/core:validateAgainstDefaultRules': validated },
    }),
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** Where the parts are, Node for hosts among them: the real one is a hundred megabytes to compress and copy. */
export const contextOf = (dist: string): Record<string, string> => ({
  'gantry:dist': dist,
  ...Object.fromEntries(Object.values(nodePackages).map((wanted) => [nodeContext(wanted), join(dist, 'node')])),
});

function writePart(directory: string, file: string): void {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, file), '');
}

export interface MadeControlPlane {
  readonly stack: Stack;
  readonly controlPlane: GantryControlPlane;
  readonly template: Template;
}

/** Props that need something in the stack are a function of it. */
export function makeControlPlane(
  props: GantryControlPlaneProps | ((stack: Stack) => GantryControlPlaneProps) = {},
): MadeControlPlane {
  using made = testApp();
  const stack = new Stack(made.app, 'Test');
  const given = typeof props === 'function' ? props(stack) : props;
  const controlPlane = new GantryControlPlane(stack, 'ControlPlane', given);
  return { stack, controlPlane, template: Template.fromStack(stack) };
}
