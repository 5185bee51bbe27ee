/**
 * `gantry join`: makes this machine a host of a control plane elsewhere. First everything is asked that can be asked without a change;
 * then the machine's own key is admitted; then containerd and the agent are started, by units or in the foreground. May be repeated at any
 * point; what a join that fails has made is taken away again, except the key where it was admitted or may have been.
 */
import { existsSync, rmSync } from 'node:fs';
import { pino } from 'pino';
import { GantryError } from '../../core/errors.ts';
import type { HostSelf } from '../../core/host-protocol.ts';
import { stopContainerd } from '../containerd.ts';
import { thisMachine } from '../machine.ts';
import { stopManaged } from '../managed-process.ts';
import { admit, hostClient } from './admit.ts';
import { forgetJoined, type JoinedBefore, joinedBefore, mergedOptions, writeJoined } from './before.ts';
import { type Waiting, whenConnected } from './connected.ts';
import { agentLog, agentProcess, agentRuns, keepHost, refuseSecond, startHost } from './foreground.ts';
import { agentConfigOf } from './host-config.ts';
import { checkCanJoin, checkSubnet, checkTools } from './machine-checks.ts';
import { type JoinPaths, joinPaths, type Places } from './options.ts';
import { reach, trustOf } from './reach.ts';
import { Releases, units } from './release.ts';

export interface JoinRequest {
  readonly places: Places;
  /** Of the host, by the names of `hostOptionsSchema`. */
  readonly said: Readonly<Record<string, unknown>>;
  readonly token?: string | undefined;
  /** PEM. */
  readonly certificateAuthority?: string | undefined;
  readonly foreground: boolean;
  readonly install: boolean;
}

export interface JoinEvents {
  readonly say: (line: string) => void;
  /** The host is there and may be given tasks. */
  readonly ready: (host: HostSelf) => void;
  /** A directory with the files of the agent's release, which are taken over. */
  readonly files: () => Promise<string>;
}

const log = pino({ level: 'warn', base: null }, pino.destination(2));

/** In the foreground it resolves when the signal has fired. */
export async function join(request: JoinRequest, events: JoinEvents, signal: AbortSignal): Promise<void> {
  const { places, foreground } = request;
  const paths = joinPaths(places);
  checkCanJoin(places, paths, { foreground });
  if (foreground) refuseSecond(paths);
  const releases = new Releases();
  await checkTools(releases, events.files, { install: request.install, say: events.say });
  const before = joinedBefore(paths);
  const planned = await plan(request, paths, before);
  await checkSubnet(planned.config);
  const hostId = await becomeHost(planned, paths, request.token);
  const made = { ...planned, paths, before, hostId, events, signal, releases };
  if (foreground) await inForeground(made);
  else events.ready(await byUnits(made));
}

interface Planned {
  readonly said: object;
  readonly config: ReturnType<typeof agentConfigOf>;
  readonly configText: string;
}

async function plan(
  { said, token, certificateAuthority: given, places, foreground }: JoinRequest,
  paths: JoinPaths,
  before: JoinedBefore | undefined,
): Promise<Planned> {
  const merged = mergedOptions(before, said);
  const { options } = merged;
  const url = new URL(options.url);
  const known = before?.config.controlPlaneUrl === options.url ? before.config.certificateAuthority : undefined;
  const certificateAuthority = await trustOf(url, { token, given, known });
  const way = await reach(url);
  const machine = thisMachine();
  const config = agentConfigOf({
    options,
    places,
    paths,
    machine,
    certificateAuthority,
    address: /^(?:127\.|::1$|::ffff:127\.)/.test(way) ? machine.address : way,
    socket: foreground ? paths.containerd.socket : '/run/gantry/containerd/containerd.sock',
  });
  return { said: merged.said, config, configText: `${JSON.stringify(config, null, 2)}\n` };
}

/** A key that was refused is none; one whose answer did not come may have been admitted, and the token with it. */
async function becomeHost({ config }: Planned, paths: JoinPaths, token: string | undefined): Promise<string> {
  const made = [paths.agentData, paths.dataDir].filter((directory) => !existsSync(directory));
  try {
    return await admit(config, token, log);
  } catch (error) {
    const isRefused = error instanceof GantryError && error.code !== 'ServiceUnavailableException';
    if (isRefused) for (const directory of made) rmSync(directory, { recursive: true, force: true });
    throw error;
  }
}

interface Made extends Planned {
  readonly paths: JoinPaths;
  readonly before: JoinedBefore | undefined;
  readonly hostId: string;
  readonly events: JoinEvents;
  readonly signal: AbortSignal;
  readonly releases: Releases;
}

async function waitingFor({
  config,
  hostId,
  signal,
}: Made): Promise<Pick<Waiting, 'client' | 'hostId' | 'signal' | 'versionBefore'>> {
  const found = await hostClient(config, log);
  if (found === undefined) throw new Error('a host that was admitted has no admission');
  const { version } = await found.client.self(hostId);
  return { client: found.client, hostId, signal, versionBefore: version };
}

async function byUnits(made: Made): Promise<HostSelf> {
  const { paths, before, configText, said, releases, events } = made;
  const { versionBefore, ...waiting } = await waitingFor(made);
  const [release, previous] = [releases.place(await events.files(), process.execPath), releases.current()];
  const isAsItWas = before?.configText === configText && release === previous && (await areActive(releases));
  if (isAsItWas) return whenConnected({ ...waiting, ...unitLog });
  try {
    await writeJoined(paths, said, configText);
    events.say(`${previous === undefined ? 'installing' : 'switching to'} the agent's release ${release.slice(0, 12)}`);
    await releases.install(release);
    return await whenConnected({ ...waiting, ...unitLog, versionBefore });
  } catch (error) {
    events.say('that did not work; putting everything back as it was');
    if (before === undefined) {
      await releases.remove();
      forgetJoined(paths);
    } else {
      await writeJoined(paths, before.options, before.configText);
      if (previous !== undefined) await releases.rollBack(previous);
    }
    throw error;
  }
}

const areActive = async (releases: Releases): Promise<boolean> =>
  (await Promise.all(units.map((unit) => releases.isActive(unit)))).every(Boolean);

/** systemd starts it again and again, so that it never counts as ended. */
const unitLog = { log: () => '`journalctl -u gantry-agent -n 20` shows why.', hasEnded: () => false };

async function inForeground(made: Made): Promise<void> {
  const { paths, before, configText, said, events, signal } = made;
  const { versionBefore, ...waiting } = await waitingFor(made);
  const configChanged = before?.configText !== configText;
  const foregroundLog = { log: () => agentLog(paths), hasEnded: () => !agentRuns(paths) };
  try {
    await writeJoined(paths, said, configText);
    const wasStarted = await startHost(paths, { configChanged });
    const self = await whenConnected({ ...waiting, ...foregroundLog, ...(wasStarted && { versionBefore }) });
    events.ready(self);
  } catch (error) {
    await stopManaged(agentProcess(paths));
    if (before === undefined) {
      await stopContainerd(paths.containerd);
      forgetJoined(paths);
    }
    throw error;
  }
  await keepHost(paths, events.say, signal);
}
