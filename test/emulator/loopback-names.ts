/**
 * Functions and agents are told host names that only AWS' resolvers know, so their environment is changed after a deployment to the
 * emulator. On AWS nothing does this.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { z } from 'zod';
import type { Emulator } from './ministack.ts';

const execute = promisify(execFile);

const functionsSchema = z.object({
  Functions: z.array(
    z.object({
      FunctionName: z.string(),
      Environment: z.object({ Variables: z.record(z.string(), z.string()) }).default({ Variables: {} }),
    }),
  ),
});

export async function pointAtLoopback(
  emulator: Emulator,
  names: readonly { readonly from: string; readonly to: string }[],
): Promise<void> {
  const aws = async (...args: string[]): Promise<string> => {
    const whole = ['lambda', ...args, '--endpoint-url', emulator.endpoint, '--output', 'json'];
    return (await execute('/usr/bin/aws', whole, { env: { ...emulator.env, AWS_PAGER: '' } })).stdout;
  };
  const { Functions } = functionsSchema.parse(JSON.parse(await aws('list-functions')));
  for (const { FunctionName, Environment } of Functions) {
    const before = JSON.stringify(Environment.Variables);
    const after = names.reduce((text, { from, to }) => text.replaceAll(from, to), before);
    if (after === before) continue;
    const environment = JSON.stringify({ Variables: JSON.parse(after) });
    await aws('update-function-configuration', '--function-name', FunctionName, '--environment', environment);
  }
}
