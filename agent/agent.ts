/**
 * The agent: puts ledger, runtime and control plane together and runs its loops. Tasks run on whether the control plane can be
 * reached or not; what needs it lives in a session, from one registration to the next. Ending the agent leaves containers running.
 */
import { availableParallelism } from 'node:os';
import type { Logger } from 'pino';
import { hostPaths, type RegisterRequest, type RegisterResponse } from '../core/host-protocol.ts';
import type { ImagePolicy } from '../core/plan/images.ts';
import { createChannel } from './channel.ts';
import type { Clock } from './clock.ts';
import { type ControlPlane, urlBelow } from './control-plane/client.ts';
import { createSigner } from './control-plane/signer.ts';
import { keepConnected, type SocketEvents } from './control-plane/socket.ts';
import type { Upkeep } from './control-plane/upkeep.ts';
import type { Identity } from './identity.ts';
import type { Ledger } from './ledger.ts';
import { backoffMs, type Random } from './loops/backoff.ts';
import { createBell } from './loops/bell.ts';
import type { TaskHost } from './loops/execute.ts';
import { heartbeatLoop } from './loops/heartbeat.ts';
import { createImageRetention } from './loops/image-retention.ts';
import { createLimiter } from './loops/limiter.ts';
import { logRetentionLoop } from './loops/log-retention.ts';
import { createNetworkUpkeep } from './loops/network-upkeep.ts';
import { createNotices, type WatchNotices } from './loops/notices.ts';
import { createHostPlan } from './loops/plan.ts';
import { createPulls } from './loops/pulls.ts';
import { createReporter } from './loops/report.ts';
import { openSession, type Session } from './loops/session.ts';
import { syncLoop } from './loops/sync.ts';
import { createSyncBell } from './loops/sync-bell.ts';
import { createTasks } from './loops/tasks.ts';
import { createTaskMetadata } from './metadata/task-metadata.ts';
import { keepAdmission, registerHost } from './registration.ts';
import type { Runtime } from './runtime.ts';

const registerAgain = { firstMs: 250, longestMs: 30_000 };

/** What admits this host: a join token, or the proof of its instance's role. Neither is needed once it was admitted. */
export type Entitlement = Pick<RegisterRequest, 'token' | 'instanceProof'>;

export interface AgentDeps {
  readonly identity: Identity;
  readonly ledger: Ledger;
  readonly runtime: Runtime;
  readonly controlPlane: ControlPlane;
  /** Where the sockets are dialled. */
  readonly controlPlaneUrl: string;
  /** What is said of this host at each registration. */
  readonly host: Omit<RegisterRequest, 'protocolVersion' | 'publicKey' | keyof Entitlement>;
  /** Made anew for each registration, for a proof grows old. Throws where there is none now. */
  readonly entitlement: () => Promise<Entitlement>;
  /** Absent where nobody tells of this machine's end. */
  readonly watchNotices?: WatchNotices | undefined;
  readonly bootId: string;
  readonly imagePolicy: ImagePolicy;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** Runs until the signal fires; resolves when every step that was in flight has come to its end and is written down. */
export async function runAgent(deps: AgentDeps, signal: AbortSignal): Promise<void> {
  const { ledger, runtime, clock, random, log, controlPlane, identity } = deps;
  const syncBell = createSyncBell();
  const retentionBell = createBell();
  retentionBell.ring();
  // With so many at once containerd starts the most containers a second; beyond it each only takes longer.
  const width = 4 * availableParallelism();
  const channel = createChannel(runtime, () => clock.now(), log);
  const images = createImageRetention({ runtime, ledger, policy: deps.imagePolicy, clock, log });
  images.ring();
  const host: TaskHost = {
    runtime,
    ledger,
    pulls: createPulls(runtime, (imageBytes) => images.makeRoom(imageBytes)),
    starts: createLimiter(width),
    removals: createLimiter(width),
    clock,
    bootId: deps.bootId,
    log,
    changed: (task) => reporter.changed(task),
    freed: () => {
      tasks.portsFreed();
      images.ring();
    },
    progress: (frame) => {
      if (frame.phase === 'done') images.ring();
      channel.progress(frame);
    },
  };
  const tasks = createTasks(host, signal);
  const plan = createHostPlan(host, tasks, () => retentionBell.ring());
  const storeBecameKnown = () => syncBell.ring();
  const reporter = createReporter({ controlPlane, ledger, plan, clock, random, log, storeBecameKnown });
  const notices = createNotices(deps);

  using _exits = runtime.onExit((taskId) => tasks.exitSeen(taskId)); // Before anything is looked at, so that no exit is missed.
  for (const { taskId } of ledger.all()) tasks.advance(taskId);

  const runSession = async (session: Session, { heartbeatSeconds, sockets }: RegisterResponse): Promise<void> => {
    const lookAgain = () => syncBell.ring();
    const wake: SocketEvents = { opened: lookAgain, message: lookAgain, closed: () => {} };
    await Promise.all([
      syncLoop(
        { controlPlane, plan, bell: syncBell, clock, random, log, looked: () => reporter.reachable(session) },
        session,
      ),
      reporter.loop(session),
      heartbeatLoop({ controlPlane, clock, random, log, beaten: beatenIn(session) }, session, heartbeatSeconds),
      notices.tell(session),
      ...dialled(deps, session, sockets).map(({ url, upkeep, kind }) =>
        connect(deps, session, { url, upkeep }, kind === 'wake' ? wake : channel),
      ),
    ]);
  };
  runtime.answerMetadata(createTaskMetadata({ ledger, runtime, host: deps.host, log }));
  const lookAtNetwork = createNetworkUpkeep(runtime, log);
  const beatenIn = (session: Session) => (etag: string | undefined) => {
    lookAtNetwork();
    images.ring();
    if (etag === undefined) syncBell.ring();
    else syncBell.heard(etag);
    session.remember().catch((error: unknown) => {
      log.warn({ err: error }, 'how far the store is cannot be written down now');
    });
  };
  const runSessions = async (): Promise<void> => {
    while (!signal.aborted) {
      const admitted = await register(deps, signal);
      if (admitted === undefined) return;
      await runSession(openSession(admitted.hostId, identity, admitted.storeEpoch, signal), admitted);
      // A control plane that admits a host and then does not know it must not be asked in a busy loop.
      await clock.sleep(backoffMs(2, registerAgain, random), signal);
    }
  };
  await Promise.all([
    runSessions(),
    logRetentionLoop({ runtime, ledger, bell: retentionBell, log }, signal),
    images.loop(signal),
    notices.watch(signal),
  ]);
  await tasks.ended();
  await ledger.settled();
}

interface Dialled {
  readonly kind: 'wake' | 'channel';
  readonly url: URL;
  readonly upkeep: Upkeep;
}

/** The sockets of a session: where registration says, or below the control plane's own address. */
function dialled({ controlPlaneUrl }: AgentDeps, { hostId }: Session, sockets: RegisterResponse['sockets']): Dialled[] {
  const below = (path: string) => urlBelow(controlPlaneUrl, path).href;
  const { wake, channel } = sockets ?? {
    wake: below(hostPaths.wake(hostId)),
    channel: below(hostPaths.channel(hostId)),
  };
  const wakePings = sockets === undefined ? 'answered' : 'none';
  return [
    { kind: 'wake', url: new URL(wake), upkeep: { pings: wakePings, isRenewed: true } },
    // Not renewed: it carries streams, which would break. Absent where this control plane has no use for one.
    ...(channel === undefined
      ? []
      : [{ kind: 'channel', url: new URL(channel), upkeep: { pings: 'unanswered', isRenewed: false } } as const]),
  ];
}

function connect(
  { identity, clock, random, log }: AgentDeps,
  { hostId, signal }: Session,
  { url, upkeep }: Pick<Dialled, 'url' | 'upkeep'>,
  events: SocketEvents,
): Promise<void> {
  const sign = createSigner(identity, clock, hostId);
  return keepConnected({ url, sign, upkeep, clock, random, log }, events, signal);
}

/** Tries until the control plane admits this host; undefined when the signal fired first. */
async function register(deps: AgentDeps, signal: AbortSignal): Promise<RegisterResponse | undefined> {
  const { identity, controlPlane, clock, random, log } = deps;
  for (let failures = 0; !signal.aborted; failures += 1) {
    try {
      const entitlement = await entitlementOf(deps);
      const who = { ...deps.host, ...entitlement, publicKey: identity.publicKey };
      const admitted = await registerHost(controlPlane, who);
      const { hostId, cluster } = admitted;
      await keepAdmission(identity, admitted, { hasTasks: deps.ledger.all().length > 0 });
      log.info({ hostId, cluster }, 'registered');
      return admitted;
    } catch (error) {
      log.error({ err: error, failures }, 'the control plane does not admit this host; trying again');
      await clock.sleep(backoffMs(failures, registerAgain, random), signal);
    }
  }
  return undefined;
}

/** A host that was admitted before needs none, so its lack (instance metadata does not answer) must not keep it away. */
async function entitlementOf({ entitlement, identity, log }: AgentDeps): Promise<Entitlement> {
  try {
    return await entitlement();
  } catch (error) {
    if (identity.admission === undefined) throw error;
    log.warn({ err: error }, 'what admits this host cannot be had now; the control plane knows its key');
    return {};
  }
}
