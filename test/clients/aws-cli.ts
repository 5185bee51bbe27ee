/**
 * The unmodified AWS CLI, as Debian packages it, with only endpoint and keys changed. Its program is read once and runs in a process of
 * its own for each command: reading it is most of what a command costs.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { ClientRefusal, type EcsClient, inWords } from './ecs-client.ts';
import { startLineWorker } from './line-worker.ts';

/** By its path: `aws` may be another version elsewhere on PATH. */
export const awsCli = '/usr/bin/aws';

const resultSchema = z.object({ code: z.number(), stdout: z.string(), stderr: z.string() });

export function startAwsCli(endpoint: string, env: NodeJS.ProcessEnv): EcsClient & AsyncDisposable {
  const interpreter = /^#!(\S+)/.exec(readFileSync(awsCli, 'utf8'))?.[1];
  if (interpreter === undefined) throw new Error(`${awsCli} is no script`);
  const worker = startLineWorker(interpreter, [fileURLToPath(new URL('aws-cli.py', import.meta.url)), awsCli], env);
  const aws = async (...args: readonly string[]): Promise<unknown> => {
    const command = ['ecs', ...args, '--endpoint-url', endpoint, '--output', 'json'];
    const { code, stdout, stderr } = resultSchema.parse(await worker.ask(command));
    if (code !== 0) throw new ClientRefusal(/^An error occurred \((\w+)\)/m.exec(stderr)?.[1] ?? `${code}`, stderr);
    return stdout === '' ? {} : JSON.parse(stdout);
  };
  return {
    lacks: ['DeleteTaskDefinitions'],
    call: (operation, input = {}) => aws(inWords(operation, '-'), ...optionsOf(input)),
    list: (operation, input = {}) => aws(inWords(operation, '-'), ...optionsOf(input), '--page-size', '1'),
    async wait(waiter, input) {
      await aws('wait', waiter, ...optionsOf(input));
    },
    [Symbol.asyncDispose]: () => worker[Symbol.asyncDispose](),
  };
}

/** As people write them: `--tasks ID ID`, `--no-protection-enabled`, `--overrides '{…}'`. */
const optionsOf = (input: object): readonly string[] =>
  Object.entries(input).flatMap(([name, value]: [string, unknown]) => {
    const option = inWords(name, '-');
    if (typeof value === 'boolean') return [value ? `--${option}` : `--no-${option}`];
    if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return [`--${option}`, ...value];
    return [`--${option}`, typeof value === 'string' ? value : JSON.stringify(value)];
  });
