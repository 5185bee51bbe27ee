/** The stack of this repository on an emulator: what `cdk` and `aws` do with it, as a platform team would type them. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';
import type { Emulator } from './ministack.ts';

const execute = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));

const outputsSchema = z.object({
  Gantry: z.object({ ApiId: z.string(), WebSocketApiId: z.string(), TableName: z.string(), EventBusName: z.string() }),
});
export type Outputs = z.infer<typeof outputsSchema>['Gantry'];

export interface CommandEnd {
  readonly code: number;
  readonly output: string;
}

export interface Deployment {
  /** `cdk <args>`, given up after four minutes: a custom resource that does not answer would hold it for an hour. */
  cdk(...args: readonly string[]): Promise<CommandEnd>;
  /** Deploys with this context and answers the outputs of the stack. */
  deploy(context: Readonly<Record<string, string>>): Promise<Outputs>;
  /** `aws <args>` against the emulator, its answer parsed. */
  aws(...args: readonly string[]): Promise<unknown>;
}

export function deploymentOn(emulator: Emulator): Deployment {
  const run = async (file: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<CommandEnd> => {
    try {
      const { stdout, stderr } = await execute(file, args, { cwd: root, env, timeout: 240_000, maxBuffer: 2 ** 26 });
      return { code: 0, output: stdout + stderr };
    } catch (error) {
      const failure = z.object({ code: z.unknown(), stdout: z.string(), stderr: z.string() }).parse(error);
      return { code: Number(failure.code) || 1, output: failure.stdout + failure.stderr };
    }
  };
  const cdk = (...args: readonly string[]) =>
    run(join(root, 'node_modules/.bin/cdk'), ['--output', join(emulator.directory, 'cdk.out'), ...args], emulator.env);
  return {
    cdk,
    async deploy(context) {
      const file = join(emulator.directory, 'outputs.json');
      const { code, output } = await cdk(
        'deploy',
        ...Object.entries(context).flatMap(([key, value]) => ['-c', `gantry:${key}=${value}`]),
        '--require-approval',
        'never',
        '--outputs-file',
        file,
      );
      if (code !== 0) throw new Error(`cdk deploy ended with ${code}:\n${output}`);
      return outputsSchema.parse(JSON.parse(await readFile(file, 'utf8'))).Gantry;
    },
    async aws(...args) {
      const { stdout } = await execute(
        '/usr/bin/aws',
        [...args, '--endpoint-url', emulator.endpoint, '--output', 'json'],
        {
          env: { ...emulator.env, AWS_PAGER: '' },
        },
      );
      return stdout === '' ? undefined : JSON.parse(stdout);
    },
  };
}

/**
 * What a host name of AWS means here: functions and agents are told addresses that only AWS' resolvers know, so their environment is
 * changed after a deployment. On AWS nothing does this.
 */
export async function pointAtLoopback(
  deployment: Deployment,
  names: { readonly from: string; readonly to: string }[],
): Promise<void> {
  const { Functions } = functionsSchema.parse(await deployment.aws('lambda', 'list-functions'));
  for (const { FunctionName, Environment } of Functions) {
    const before = JSON.stringify(Environment.Variables);
    const after = names.reduce((text, { from, to }) => text.replaceAll(from, to), before);
    if (after === before) continue;
    const variables = JSON.stringify({ Variables: JSON.parse(after) });
    await deployment.aws(
      'lambda',
      'update-function-configuration',
      '--function-name',
      FunctionName,
      '--environment',
      variables,
    );
  }
}

const functionsSchema = z.object({
  Functions: z.array(
    z.object({
      FunctionName: z.string(),
      Environment: z.object({ Variables: z.record(z.string(), z.string()) }).default({ Variables: {} }),
    }),
  ),
});
