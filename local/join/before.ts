/** What is known on this machine of a host that joined before: what was said of it, and what its agent is told. */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { type HostConfig, readAgentConfig } from '../../agent/config.ts';
import { writeDurably } from '../../agent/durable-file.ts';
import { GantryError } from '../../core/errors.ts';
import { type HostOptions, hostOptionsSchema, type JoinPaths } from './options.ts';

export interface JoinedBefore {
  /** As they were said: what was left to its default is not in it. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly config: HostConfig & { readonly certificateAuthority?: string | undefined };
  readonly configText: string;
}

/** Undefined of a machine that is no host, or one of EC2's. Throws an Error where the files are there and cannot be read. */
export function joinedBefore(paths: Pick<JoinPaths, 'options' | 'config'>): JoinedBefore | undefined {
  if (!existsSync(paths.config)) return undefined;
  const config = readAgentConfig(paths.config);
  if (config.platform === 'ec2') return undefined;
  const { joinToken: _, platform: __, ...rest } = config;
  return {
    options: existsSync(paths.options) ? JSON.parse(readFileSync(paths.options, 'utf8')) : {},
    config: rest,
    configText: readFileSync(paths.config, 'utf8'),
  };
}

/** What is said now goes before what was said then. Throws a GantryError that names the member at fault. */
export function mergedOptions(
  before: JoinedBefore | undefined,
  said: Readonly<Record<string, unknown>>,
): { readonly said: Readonly<Record<string, unknown>>; readonly options: HostOptions } {
  const all: Readonly<Record<string, unknown>> = { ...before?.options, ...said };
  if (all.url === undefined)
    throw new GantryError(
      'InvalidParameterException',
      'URL is missing: this machine has joined no control plane yet.',
      {
        field: 'url',
        hint: '`gantry join-token`, where the control plane is reached, prints the whole command.',
      },
    );
  const parsed = hostOptionsSchema.safeParse(all);
  if (parsed.success) return { said: all, options: parsed.data };
  const [issue] = parsed.error.issues;
  const field = issue?.path.join('.') ?? '';
  throw new GantryError(
    'InvalidParameterException',
    `${field === '' ? 'The host' : field}: ${issue?.message ?? 'is wrong'}.`,
    {
      field,
    },
  );
}

export async function writeJoined(paths: JoinPaths, said: object, configText: string): Promise<void> {
  mkdirSync(paths.configDir, { recursive: true, mode: 0o755 });
  await writeDurably(paths.options, `${JSON.stringify(said, null, 2)}\n`);
  await writeDurably(paths.config, configText);
}

export function forgetJoined(paths: JoinPaths): void {
  for (const file of [paths.options, paths.config]) rmSync(file, { force: true });
}
