/** The control plane that is fuzzed: the real app over a real store, whose commits are watched, with a clock that the fuzzer turns. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Hono } from 'hono';
import type { Credentials } from '../../../client/signer.ts';
import { type Control, createControl } from '../../../control/create.ts';
import { createApi } from '../../../control/http/app.ts';
import { sigV4Authenticator } from '../../../control/http/auth/authenticator.ts';
import { openSqliteTable } from '../../../control/store/sqlite.ts';
import type { Change, Table } from '../../../control/store/table.ts';
import { everyRight } from '../../../core/model/rights.ts';
import { ScriptedHost } from '../../control/support/scripted-host.ts';
import type { Answered, Sent } from './messages.ts';
import type { Pool } from './values.ts';

/** Where nothing waits for a disk. */
const memory = '/dev/shm';

const region = 'us-east-1';

export interface World extends AsyncDisposable {
  readonly keys: readonly Credentials[];
  /** Of the clock. */
  now(): number;
  ask(request: Sent): Promise<Answered>;
  /** Bytes of the store that its cache may hold, which is full at 32 MiB. */
  cached(): number;
  /** Makes sure that there is something to ask for, and answers what. */
  tend(): Promise<Pool>;
}

const keyOf = (change: Change): string => {
  const { pk, sk } = change.kind === 'put' ? change.item : change.key;
  return `${pk} ${sk}`;
};

/** Not what tells of one, be it refused. */
const isOfACall = (key: string): boolean => !/^(event|events|audit|webhook-deliveries)#/.test(key);

function watched(table: Table, written: AsyncLocalStorage<string[]>): Table {
  return {
    get: (...args) => table.get(...args),
    getMany: (...args) => table.getMany(...args),
    query: (...args) => table.query(...args),
    queryHistory: (...args) => table.queryHistory(...args),
    follow: (follower) => table.follow?.(follower),
    close: () => table.close(),
    async commit(changes, options) {
      const result = await table.commit(changes, options);
      if (result.outcome === 'done')
        written.getStore()?.push(
          ...changes
            .filter(({ kind }) => kind !== 'check')
            .map(keyOf)
            .filter(isOfACall),
        );
      return result;
    },
  };
}

export async function openWorld(): Promise<World> {
  const directory = mkdtempSync(join(existsSync(memory) ? memory : tmpdir(), 'gantry-fuzz-'));
  // What loops write that a call has woken is the call's, whenever they do.
  const written = new AsyncLocalStorage<string[]>();
  const faults: string[] = [];
  let now = Date.now();
  let ids = 0;
  const control = await createControl({
    table: watched(openSqliteTable({ file: join(directory, 'store.db') }), written),
    clock: { now: () => now },
    random: () => 0.5,
    // The same in each run, and spread over shards as real ones are.
    newId: () => {
      ids += 1;
      const digits = (ids * 0x9e3779b1).toString(16).slice(-8).padStart(8, '0');
      return digits + ids.toString(16).padStart(24, '0');
    },
    sleep: async () => {},
    settings: { webhookAddresses: 'private' },
    log: { debug: () => {}, info: () => {}, warn: () => {}, error: (about) => void faults.push(described(about)) },
    realm: { region },
  });
  const { deps, handlers, hostsApp, accessKeys } = control;
  const arn = 'arn:aws:iam::000000000000:user/fuzz';
  const keys = [
    await accessKeys.create({ arn, ...everyRight }),
    await accessKeys.create({ arn: `${arn}-2`, ...everyRight, actions: ['read', 'run'], clusters: ['default'] }),
  ];
  const authenticator = sigV4Authenticator(accessKeys, { region, now: () => now });
  const app = createApi({ deps, handlers, hostsApp, authenticator });
  return {
    keys,
    now: () => now,
    async ask(request) {
      now = request.at;
      if (request.twice) await answerOf(app, request);
      faults.length = 0;
      const keys: string[] = [];
      const answer = await written.run(keys, () => answerOf(app, request));
      return { ...answer, written: keys, faults: faults.splice(0) };
    },
    cached: () => Math.min(statSync(join(directory, 'store.db')).size, 32 * 2 ** 20),
    tend: () => tend(control, new Set(keys.map(({ accessKeyId }) => accessKeyId))),
    async [Symbol.asyncDispose]() {
      await control.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function answerOf(app: Hono, { method, target, headers, body }: Sent) {
  const takesBody = method !== 'GET' && method !== 'DELETE';
  const request = new Request(new URL(target, 'http://here'), {
    method,
    headers: new Headers(Object.entries(headers).map(([name, value]) => [name, asBytes(value)])),
    ...(takesBody && { body: Uint8Array.from(Buffer.from(body)) }),
  });
  const response = await app.fetch(request);
  return { status: response.status, headers: Object.fromEntries(response.headers), text: await response.text() };
}

/** Headers are bytes; what is beyond them is sent as its UTF-8. */
const asBytes = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

const described = (about: object): string => {
  const { err } = Object(about);
  return `logged: ${err instanceof Error ? err.stack : JSON.stringify(about)}`;
};

/** `own`: keys that the fuzzer signs with, which it must not delete. */
async function tend(control: Control, own: ReadonlySet<string>): Promise<Pool> {
  const { deps, handlers } = control;
  const context = {
    deps,
    principal: { arn: 'arn:aws:iam::000000000000:user/gardener', ...everyRight },
    requestId: deps.newId(),
  };
  await handlers.CreateCluster(context, { clusterName: 'default' });
  await handlers.CreateCluster(context, { clusterName: 'other' });
  const containerDefinitions = [{ name: 'app', image: 'busybox', memory: 6 }];
  await handlers.RegisterTaskDefinition(context, { family: 'job', containerDefinitions });
  const { containerInstanceArns: before } = await handlers.ListContainerInstances(context, {});
  if (before.length === 0) {
    const token = await control.joinTokens.create({ cluster: 'default', reusable: false });
    await new ScriptedHost(control, { name: `host-${control.deps.newId()}`, memoryMib: 1 << 20 }).join(token);
  }
  await handlers.RunTask(context, { taskDefinition: 'job', count: 2 });
  const { taskArns } = await handlers.ListTasks(context, { maxResults: 8 });
  const { containerInstanceArns } = await handlers.ListContainerInstances(context, { maxResults: 3 });
  const { taskDefinitionArns } = await handlers.ListTaskDefinitions(context, {
    familyPrefix: 'job',
    sort: 'DESC',
    maxResults: 3,
  });
  await handlers.CreateAccessKey(context, { userName: 'someone', actions: ['read'] });
  const { accessKeys } = await handlers.ListAccessKeys(context, { limit: 5 });
  const { webhooks } = await handlers.ListWebhooks(context, {});
  const clusters = ['default', 'other', 'arn:aws:ecs:us-east-1:000000000000:cluster/default'];
  const last = (arn: string): string => arn.split('/').at(-1) ?? '';
  const tasks = [...taskArns, ...taskArns.map(last)];
  const hosts = [...containerInstanceArns, ...containerInstanceArns.map(last)];
  const revisions = [...taskDefinitionArns, ...taskDefinitionArns.map(last), 'job'];
  return {
    cluster: [...clusters, 'default', 'default'],
    clusters,
    clusterName: ['default', 'made', 'other'],
    task: tasks,
    tasks,
    host: hosts,
    containerInstance: hosts,
    containerInstances: hosts,
    targetId: hosts,
    targetType: ['container-instance'],
    taskDefinition: revisions,
    taskDefinitions: revisions,
    family: ['job', 'other-job'],
    familyPrefix: ['job'],
    resourceArn: [...taskArns, ...containerInstanceArns, ...taskDefinitionArns, ...clusters],
    status: ['ACTIVE', 'DRAINING', 'INACTIVE'],
    launchType: ['EC2'],
    count: [1, 2, 3],
    memory: [6, 64, '64'],
    cpu: [0, 128, '256'],
    maxResults: [1, 10, 100],
    limit: [1, 10, 100],
    filter: ['attribute:ecs.os-type == linux', 'runningTasksCount > 1 and not agentConnected == true'],
    capacityProvider: ['own', 'none'],
    capacityProviders: ['own'],
    // No request of the fuzzer waits.
    timeout: [0],
    wait: ['running', 'changed'],
    name: ['app', 'own', 'containerInsights', 'taskLongArnFormat'],
    value: ['enabled', 'a'],
    image: ['busybox', 'docker.io/library/busybox:1'],
    expiresInMinutes: [1, 60],
    condition: ['START', 'COMPLETE'],
    containerName: ['app'],
    lifetimeSeconds: [60],
    userName: ['someone'],
    accessKeyId: accessKeys.map(({ accessKeyId }) => accessKeyId).filter((id) => !own.has(id)),
    instanceIds: ['i-0123456789abcdef0', 'i-0123456789abcdef1'],
    // Nobody listens there.
    url: ['https://127.0.0.1:1/hook'],
    webhook: webhooks.map(({ webhookId }) => webhookId),
    order: ['newest', 'oldest'],
  };
}
