/** From argv to an exit code: finds the command, parses, runs, and tells errors as what, why and what to do. */
import { type Client, createClient } from '../client/client.ts';
import { defaultClusterName } from '../core/model/cluster.ts';
import { errorTraits, GantryError } from '../core/errors.ts';
import { type Command, exitCodes } from './command.ts';
import { commands } from './commands/index.ts';
import type { LocalCloud } from './context.ts';
import { helpOf, helpOfAll } from './help.ts';
import { createOutput, type Output, type Sink } from './output.ts';
import { parseInvocation } from './parse.ts';

/** Where the control plane is and how to sign for it. */
export interface Connection {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string };
}

/** Everything that the command line takes from outside. */
export interface World {
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly now: () => number;
  readonly readFile: (path: string) => Promise<string>;
  readonly local: LocalCloud;
  /** The cloud on this machine, if there is one that the caller may use. */
  readonly localConnection: () => Connection | undefined;
  readonly signal: AbortSignal;
}

export async function main(argv: readonly string[], world: World): Promise<number> {
  const wantsJson = argv.slice(0, beforeRest(argv)).includes('--json');
  const out = createOutput({ ...world, json: wantsJson, colour: wantsColour(world) });
  try {
    return await dispatch(argv, world, out);
  } catch (error) {
    return reportError(error, out);
  }
}

const beforeRest = (argv: readonly string[]): number => (argv.includes('--') ? argv.indexOf('--') : argv.length);

const wantsColour = ({ stdout, env }: World): boolean =>
  stdout.isTTY === true && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb';

async function dispatch([name, ...argv]: readonly string[], world: World, out: Output): Promise<number> {
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    out.line(helpOfAll(commands));
    return name === undefined ? exitCodes.failed : exitCodes.ok;
  }
  const command = commands.find((one) => one.name === name);
  if (command === undefined) throw unknownCommand(name);
  const { invocation, global } = parseInvocation(command, argv);
  if (global.help === true) {
    out.line(helpOf(command));
    return exitCodes.ok;
  }
  const connect = lazily(() => connectionOf(global, world));
  const client = lazily<Client>(() => createClient(connect()));
  return command.run(
    {
      client,
      cluster: global.cluster ?? world.env.GANTRY_CLUSTER ?? defaultClusterName,
      out,
      local: world.local,
      environment: () => environmentOf(connect()),
      readFile: world.readFile,
      now: world.now,
      signal: world.signal,
    },
    invocation,
  );
}

function lazily<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

function connectionOf(global: { endpoint?: string; region?: string }, { env, localConnection }: World): Connection {
  const endpoint = global.endpoint ?? env.GANTRY_ENDPOINT ?? env.AWS_ENDPOINT_URL_ECS;
  const here = localConnection();
  if (endpoint === undefined && here === undefined)
    throw new GantryError('InvalidParameterException', 'No control plane is named and none is up on this machine.', {
      hint: 'Start one with `gantry up`, or name one with --endpoint or GANTRY_ENDPOINT.',
    });
  const own = here !== undefined && (endpoint === undefined || endpoint === here.endpoint) ? here : undefined;
  const credentials =
    env.AWS_ACCESS_KEY_ID !== undefined && env.AWS_SECRET_ACCESS_KEY !== undefined
      ? {
          accessKeyId: env.AWS_ACCESS_KEY_ID,
          secretAccessKey: env.AWS_SECRET_ACCESS_KEY,
          ...(env.AWS_SESSION_TOKEN !== undefined && { sessionToken: env.AWS_SESSION_TOKEN }),
        }
      : undefined;
  // The cloud's own key wins on this machine: AWS_* in the environment are most often meant for AWS.
  const chosen = own?.credentials ?? credentials;
  return {
    endpoint: endpoint ?? own?.endpoint ?? '',
    region: global.region ?? own?.region ?? env.AWS_REGION ?? env.AWS_DEFAULT_REGION ?? 'us-east-1',
    ...(chosen !== undefined && { credentials: chosen }),
  };
}

const environmentOf = ({ endpoint, region, credentials }: Connection): string[] => [
  `export AWS_ENDPOINT_URL_ECS=${endpoint}`,
  `export AWS_REGION=${region}`,
  ...(credentials === undefined
    ? []
    : [
        `export AWS_ACCESS_KEY_ID=${credentials.accessKeyId}`,
        `export AWS_SECRET_ACCESS_KEY=${credentials.secretAccessKey}`,
      ]),
];

function unknownCommand(name: string): GantryError {
  const near = commands.map((command: Command) => command.name).filter((known) => known.startsWith(name.slice(0, 2)));
  return new GantryError('UnknownOperationException', `gantry has no command '${name}'.`, {
    hint: near.length > 0 ? `Did you mean ${near.join(' or ')}?` : 'See `gantry --help`.',
  });
}

/** What and why, then what to do; as one object on standard output with --json. */
function reportError(error: unknown, out: Output): number {
  const known =
    error instanceof GantryError
      ? error
      : new GantryError('ServerException', error instanceof Error ? error.message : String(error), { cause: error });
  out.data({ error: { code: known.code, message: known.message, field: known.field, hint: known.hint } });
  out.note(`${out.paint('red', 'Error:')} ${known.message}`);
  if (known.hint !== undefined) out.note(known.hint);
  return errorTraits[known.code].exitCode;
}
