/** From argv to an exit code: finds the command, parses, runs, and tells errors as what, why and what to do. */
import { pinOf } from '../client/authority.ts';
import { type Client, createClient } from '../client/client.ts';
import { regionOf } from '../client/environment.ts';
import { compact } from '../core/compact.ts';
import { GantryError } from '../core/errors.ts';
import { defaultClusterName } from '../core/model/cluster.ts';
import { Asker, type Keyboard } from './ask.ts';
import { type Command, exitCodes, type globalOptions, type OptionValues } from './command.ts';
import { commandGroups, commands } from './commands/index.ts';
import {
  connectionOf,
  connectionTo,
  environmentFor,
  environmentOf,
  type LocalConnection,
  type Surroundings,
} from './connection.ts';
import type { CloudHere, CommandContext, Contexts, LocalCloud } from './context.ts';
import { chosen } from './contexts/choice.ts';
import type { ContextFile } from './contexts/disk.ts';
import { helpOf, helpOfAll, helpOfGroup } from './help.ts';
import { createOutput, type Output, type Sink } from './output.ts';
import { parseInvocation } from './parse.ts';
import { reportError } from './report-error.ts';

/** Everything that the command line takes from outside. */
export interface World extends Surroundings {
  readonly stdin: Keyboard;
  readonly contexts: ContextFile;
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly now: () => number;
  readonly readFile: (path: string) => Promise<string>;
  readonly local: LocalCloud;
  readonly signal: AbortSignal;
}

export async function main(argv: readonly string[], world: World): Promise<number> {
  const wantsJson = argv.slice(0, beforeRest(argv)).includes('--json');
  const out = createOutput({ ...world, json: wantsJson, colour: wantsColour(world) });
  try {
    return await dispatch(argv, world, out);
  } catch (error) {
    return reportError(error, out, world.signal);
  }
}

const beforeRest = (argv: readonly string[]): number => (argv.includes('--') ? argv.indexOf('--') : argv.length);

/** Only where both streams are looked at: a file gets none of them. */
const wantsColour = ({ stdout, stderr, env }: World): boolean =>
  stdout.isTTY === true && stderr.isTTY === true && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb';

async function dispatch(argv: readonly string[], world: World, out: Output): Promise<number> {
  const [name, ...after] = argv;
  if (name === undefined || isHelp(name) || (name === 'help' && after.length === 0)) {
    out.line(helpOfAll(commandGroups));
    return name === undefined ? exitCodes.failed : exitCodes.ok;
  }
  if (name === 'help') return dispatch([...after.slice(0, 2), '--help'], world, out);
  const command = commands.find((one) => begins(argv, one.name.split(' ')));
  if (command === undefined) return groupHelp(name, after, out);
  const { invocation, global } = parseInvocation(command, argv.slice(command.name.split(' ').length));
  if (global.help === true) {
    out.line(helpOf(command));
    return exitCodes.ok;
  }
  return command.run(contextOf(global, world, out), invocation);
}

const isHelp = (word: string): boolean => word === '--help' || word === '-h';

const begins = (argv: readonly string[], words: readonly string[]): boolean =>
  words.every((word, index) => argv[index] === word);

/** Of `gantry keys`, whose commands are two words. Throws where there is no such group, or a word of it was meant. */
function groupHelp(name: string, [next]: readonly string[], out: Output): number {
  const group = commands.filter((command) => command.name.startsWith(`${name} `));
  if (group.length === 0) throw unknownCommand(name);
  if (next !== undefined && !isHelp(next)) throw unknownCommand(`${name} ${next}`, group);
  out.line(helpOfGroup(name, group));
  return next === undefined ? exitCodes.failed : exitCodes.ok;
}

function contextOf(global: OptionValues<typeof globalOptions>, world: World, out: Output): CommandContext {
  const { env, local, readFile, now, signal } = world;
  const connection = lazily(() => connectionOf(global, world));
  return {
    client: lazily<Client>(() => createClient(connection())),
    environmentFor: (key) => environmentFor(connection(), key),
    get cluster() {
      return clusterOf(global, world);
    },
    out,
    commands,
    local,
    cloudHere(runDir) {
      const connection = world.localConnection(runDir);
      if (connection === undefined) return undefined;
      return {
        endpoint: connection.endpoint,
        client: createClient(connection),
        cluster: global.cluster ?? env.GANTRY_CLUSTER ?? defaultClusterName,
        environment: environmentOf(connection),
        ...trustOf(connection),
      };
    },
    runDir: env.GANTRY_RUN_DIR,
    region: global.region,
    named: compact({ endpoint: global.endpoint, cluster: global.cluster }),
    contexts: contextsOf(world),
    openAsker: () => new Asker(world.stdin, world.stderr),
    readFile,
    now,
    signal,
  };
}

function trustOf({ certificateAuthority, certificateAuthorityFile }: LocalConnection): Pick<CloudHere, 'tls'> {
  if (certificateAuthority === undefined || certificateAuthorityFile === undefined) return {};
  return { tls: { pin: pinOf(certificateAuthority), certificateAuthorityFile } };
}

/** The file of contexts is read only where nothing before it says which cluster. */
function clusterOf(global: OptionValues<typeof globalOptions>, { env, contexts }: World): string {
  const named = global.cluster ?? env.GANTRY_CLUSTER;
  if (named !== undefined) return named;
  const choice = chosen(global, env, contexts.read);
  return (choice.kind === 'context' ? choice.context.cluster : undefined) ?? defaultClusterName;
}

const contextsOf = (world: World): Contexts => ({
  ...world.contexts,
  inEffect() {
    const choice = chosen({}, world.env, world.contexts.read);
    return compact({ name: choice.kind === 'context' ? choice.name : undefined, by: choice.by });
  },
  clientOf: (context) => createClient(connectionTo(context, world)),
  regionFor: (endpoint) => regionOf(endpoint, world.env),
});

function lazily<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

function unknownCommand(name: string, group: readonly Command[] = []): GantryError {
  if (name.startsWith('-'))
    return new GantryError('InvalidParameterException', `gantry has no option '${name}' before the command.`, {
      hint: 'Options stand after it: gantry COMMAND --json.',
    });
  const firstWords = new Set(commands.map((command) => command.name.split(' ')[0] ?? ''));
  const beginAlike = [...firstWords].filter((word) => word.startsWith(name.slice(0, 2)));
  const near = group.length > 0 ? group.map((command) => command.name) : beginAlike;
  return new GantryError('UnknownOperationException', `gantry has no command '${name}'.`, {
    hint: near.length > 0 ? `Did you mean ${near.join(' or ')}?` : 'See `gantry --help`.',
  });
}
