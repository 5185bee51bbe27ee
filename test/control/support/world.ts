/**
 * A control plane over a real store, driven from outside: operations as the transports call them, hosts over the real host routes, a
 * clock that the test moves. Loops run when something triggers them or the test asks; their timers never fire.
 */

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { type Control, createControl } from '../../../control/create.ts';
import type { ControlDeps, Settings } from '../../../control/deps.ts';
import type { Fleet } from '../../../control/fleet/fleet.ts';
import { callOperation } from '../../../control/http/call.ts';
import type { LoopName } from '../../../control/loops/loop.ts';
import type { Principal } from '../../../control/operations/context.ts';
import { openDynamoDbTable } from '../../../control/store/dynamodb.ts';
import { openSqliteTable } from '../../../control/store/sqlite.ts';
import type { Table } from '../../../control/store/table.ts';
import type { Input, OperationName, Output } from '../../../core/api/operations.ts';
import { everyRight } from '../../../core/model/rights.ts';
import { seededRandom } from '../../../core/random.ts';
import { someFaults } from '../../support/dynamodb-faults.ts';
import { anyCredentials, startDynoxide } from '../../support/dynoxide.ts';
import { startFaultyDynamo } from '../../support/faulty-dynamo.ts';
import { type HostOptions, ScriptedHost } from './scripted-host.ts';

/** `faulty-dynamodb`: with throttling, conflicts, lost answers and a late index injected. */
export type StoreKind = 'sqlite' | 'dynamodb' | 'faulty-dynamodb';

export interface WorldOptions {
  readonly store?: StoreKind;
  /** A SQLite file that is the test's own, which outlives the world. */
  readonly file?: string;
  readonly settings?: Partial<Settings>;
  readonly seed?: number;
  readonly callerIdentity?: ControlDeps['callerIdentity'];
  readonly secretBox?: ControlDeps['secretBox'];
  /** In place of real pauses between tries. */
  readonly sleep?: ControlDeps['sleep'];
  /** Made with the world's clock and chance. */
  readonly fleet?: (of: Pick<ControlDeps, 'random'> & ControlDeps['clock']) => Fleet;
  /** Stands between the world's own control plane and the store; others have the store itself. */
  readonly wrap?: (table: Table) => Table;
}

export interface CallOptions {
  readonly invocationId?: string;
  /** The world's own where absent. */
  readonly control?: Control;
  /** What the caller may not do, or who else it is; everything where absent. */
  readonly as?: Partial<Principal>;
}

/** A line of the control plane's log, at level warn or above. */
export interface Logged {
  readonly level: number;
  readonly msg: string;
  readonly [member: string]: unknown;
}

export const errorLevel = 50;

export interface World extends AsyncDisposable {
  readonly control: Control;
  /** The store itself. */
  readonly table: Table;
  readonly logged: readonly Logged[];
  readonly now: () => number;
  advance(seconds: number): void;
  call<Name extends OperationName>(name: Name, input: unknown, options?: CallOptions): Promise<Output<Name>>;
  /** A host that may be given tasks; of the cluster `default` where it has no token of its own. */
  host(options?: HostOptions & { readonly token?: string; readonly control?: Control }): Promise<ScriptedHost>;
  /** Registers a family with one container of these sizes. */
  register(family: string, sizes?: { cpu?: number; memory?: number; hostPort?: number }): Promise<void>;
  /** Runs a loop over everything, and whatever it triggers, to its end. */
  loop(name: LoopName, control?: Control): Promise<void>;
  /** One more control plane over the same store. */
  another(wrap?: WorldOptions['wrap']): Promise<Control>;
}

export interface OpenedStore extends AsyncDisposable {
  readonly table: Table;
}

/** No test is about a disk. */
const inMemory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** A store of its own, with nothing in it. */
export async function openStore(kind: StoreKind, now: () => number, file?: string): Promise<OpenedStore> {
  if (file !== undefined) return { table: openSqliteTable({ file, now }), [Symbol.asyncDispose]: async () => {} };
  if (kind === 'sqlite') {
    const directory = mkdtempSync(join(inMemory, 'gantry-control-'));
    const table = openSqliteTable({ file: join(directory, 'store.db'), now });
    return { table, [Symbol.asyncDispose]: async () => rmSync(directory, { recursive: true, force: true }) };
  }
  const dynamo = kind === 'dynamodb' ? await startDynoxide() : await startFaultyDynamo({ seed: 1, rates: someFaults });
  const table = await openDynamoDbTable({
    tableName: 'gantry',
    region: 'us-east-1',
    endpoint: dynamo.endpoint,
    credentials: anyCredentials,
    create: true,
  });
  return { table, [Symbol.asyncDispose]: () => dynamo[Symbol.asyncDispose]() };
}

export async function startWorld(options: WorldOptions = {}): Promise<World> {
  // Far in the future, because an emulator deletes what has expired by its own clock.
  let now = Date.UTC(2100, 0, 1);
  const clock = { now: () => now };
  const store = await openStore(options.store ?? 'sqlite', clock.now, options.file);
  const random = seededRandom(options.seed ?? 1);
  const logged: Logged[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => logged.push(JSON.parse(line)) });
  let ids = 0;
  const newId = (): string => {
    ids += 1;
    return [0, 1, 2, 3]
      .map(() =>
        Math.floor(random() * 0x1_0000_0000)
          .toString(16)
          .padStart(8, '0'),
      )
      .join('');
  };
  const { callerIdentity, secretBox, sleep } = options;
  const fleet = options.fleet?.({ now: clock.now, random });
  const settings = { heartbeatSeconds: 5, ...options.settings };
  const create = (table: Table): Promise<Control> =>
    createControl({
      table,
      clock,
      random,
      newId,
      log,
      settings,
      callerIdentity,
      secretBox,
      fleet,
      ...(sleep && { sleep }),
    });
  const control = await create(options.wrap?.(store.table) ?? store.table);
  const others: Control[] = [];
  const token = await control.joinTokens.create({ cluster: 'default', reusable: true });
  const principal = { arn: 'arn:aws:iam::000000000000:user/test', ...everyRight };

  const world: World = {
    control,
    table: store.table,
    logged,
    now: clock.now,
    advance(seconds) {
      now += seconds * 1000;
    },
    async call<Name extends OperationName>(name: Name, input: unknown, callOptions: CallOptions = {}) {
      const { invocationId, control: asked = control, as } = callOptions;
      const context = {
        deps: asked.deps,
        principal: { ...principal, ...as },
        requestId: `request-${ids}`,
        ...(invocationId === undefined ? {} : { invocationId }),
      };
      return (await callOperation(name, asked.handlers, context, input)) as Output<Name>;
    },
    host: ({ token: own = token, control: at = control, ...hostOptions } = {}) =>
      new ScriptedHost(at, hostOptions).join(own),
    async register(family, { cpu = 0, memory = 128, hostPort } = {}) {
      const portMappings = hostPort === undefined ? [] : [{ containerPort: 80, hostPort }];
      const container = { name: 'app', image: 'busybox', cpu, memory, portMappings };
      await world.call('RegisterTaskDefinition', {
        family,
        containerDefinitions: [container],
      } satisfies Input<'RegisterTaskDefinition'>);
    },
    async loop(name, asked = control) {
      asked.loops.activate(name);
      await asked.loops.idle();
    },
    async another(wrap) {
      const other = await create(wrap?.(store.table) ?? store.table);
      others.push(other);
      return other;
    },
    async [Symbol.asyncDispose]() {
      for (const other of others) await other.loops.stop();
      await control.close();
      await store[Symbol.asyncDispose]();
    },
  };
  return world;
}

/** The id within an ARN. */
export const idOf = (arn: string | undefined): string => arn?.split('/').at(-1) ?? '';

export const hostView = async (world: World, host = 'host-1') => (await world.call('GetHost', { host })).host;

/** A host's resources other than ports, by name. */
export const amounts = (resources: readonly { name: string; integerValue: number }[]): Record<string, number> =>
  Object.fromEntries(
    resources.filter(({ name }) => !name.startsWith('PORTS')).map(({ name, integerValue }) => [name, integerValue]),
  );
