/** The stack of this repository under `cdk`, as a platform team types it. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';

const execute = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));

const outputsSchema = z.object({
  Endpoint: z.string(),
  WireEndpoint: z.string(),
  ApiId: z.string(),
  WebSocketApiId: z.string(),
  ClusterName: z.string(),
});
export type Outputs = z.infer<typeof outputsSchema>;

export interface CommandEnd {
  readonly code: number;
  readonly output: string;
}

export type Context = Readonly<Record<string, string>>;

export interface CdkOptions {
  readonly stackName: string;
  /** For the assembly and the outputs. */
  readonly directory: string;
  readonly env: NodeJS.ProcessEnv;
  /** A custom resource that does not answer would hold a command for an hour. */
  readonly timeoutMs: number;
}

export class Cdk {
  readonly #options: CdkOptions;

  constructor(options: CdkOptions) {
    this.#options = options;
  }

  async run(...args: readonly string[]): Promise<CommandEnd> {
    const { directory, env, timeoutMs } = this.#options;
    const whole = ['--output', join(directory, 'cdk.out'), ...args];
    try {
      const { stdout, stderr } = await execute(join(root, 'node_modules/.bin/cdk'), whole, {
        cwd: root,
        env,
        timeout: timeoutMs,
        maxBuffer: 2 ** 26,
      });
      return { code: 0, output: stdout + stderr };
    } catch (error) {
      const failure = z.object({ code: z.unknown(), stdout: z.string(), stderr: z.string() }).parse(error);
      return { code: Number(failure.code) || 1, output: failure.stdout + failure.stderr };
    }
  }

  /** Deploys with this context (`gantry:<key>`) and answers the stack's outputs. Throws with what cdk wrote. */
  async deploy(context: Context): Promise<Outputs> {
    const { stackName, directory } = this.#options;
    const file = join(directory, 'outputs.json');
    const given = this.#context(context);
    const { code, output } = await this.run('deploy', ...given, '--require-approval', 'never', '--outputs-file', file);
    if (code !== 0) throw new Error(`cdk deploy ended with ${code}:\n${output}`);
    return outputsSchema.parse(
      z.record(z.string(), z.unknown()).parse(JSON.parse(await readFile(file, 'utf8')))[stackName],
    );
  }

  destroy(context: Context): Promise<CommandEnd> {
    return this.run('destroy', ...this.#context(context), '--force');
  }

  #context(context: Context): string[] {
    const { stackName } = this.#options;
    return Object.entries({ ...context, stackName }).flatMap(([key, value]) => ['-c', `gantry:${key}=${value}`]);
  }
}
