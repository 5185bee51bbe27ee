/**
 * The embedded store with nothing around it: the very commits that RunTask makes, recorded beforehand from a control plane in this
 * process, written to a file of their own. How fast that goes is what the store allows on this disk.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { createControl } from '../../control/create.ts';
import { callOperation } from '../../control/http/call.ts';
import { openSqliteTable } from '../../control/store/sqlite.ts';
import type { Change } from '../../control/store/table.ts';
import type { OperationName } from '../../core/api/operations.ts';
import { everyRight } from '../../core/model/rights.ts';
import { interceptCommits } from '../../test/control/support/intercepted-table.ts';
import { writeHosts } from './control-plane.ts';
import { definition, type RunTaskInput } from './load.ts';

export type Commit = readonly Change[];

export interface BareStore extends AsyncDisposable {
  /** What so many calls of RunTask commit; each can be written once, in this order. */
  record(calls: number, input: RunTaskInput): Promise<readonly Commit[]>;
  /** Resolves once it is on disk. */
  write(commit: Commit): Promise<void>;
}

export async function openBareStore(directory: string, hosts: number): Promise<BareStore> {
  const dir = mkdtempSync(join(directory, 'gantry-bench-'));
  const files = { recorded: join(dir, 'recorded.db'), bare: join(dir, 'bare.db') };
  await writeHosts(files.recorded, hosts);
  await writeHosts(files.bare, hosts);
  const recorded: Commit[] = [];
  const call = await startRecorder(files.recorded, recorded);
  await call('RegisterTaskDefinition', definition);
  const bare = openSqliteTable({ file: files.bare });
  return {
    async record(calls, input) {
      recorded.splice(0);
      for (let n = 0; n < calls; n += 1) await call('RunTask', input);
      return [...recorded];
    },
    async write(commit) {
      const { outcome } = await bare.commit(commit);
      if (outcome !== 'done') throw new Error(`a recorded commit was ${outcome}`);
    },
    async [Symbol.asyncDispose]() {
      await call.close();
      await bare.close();
      rmSync(dir, { recursive: true });
    },
  };
}

async function startRecorder(file: string, recorded: Commit[]) {
  const table = interceptCommits(openSqliteTable({ file }), (changes, forward) => {
    recorded.push(changes);
    return forward(changes);
  });
  const control = await createControl({
    table,
    clock: { now: () => Date.now() },
    random: () => Math.random(),
    newId: () => randomBytes(16).toString('hex'),
    log: pino({ level: 'silent' }),
  });
  const principal = { ...everyRight, arn: 'arn:aws:iam::000000000000:user/bench' };
  const call = (name: OperationName, input: object): Promise<unknown> =>
    callOperation(name, control.handlers, { deps: control.deps, principal, requestId: control.deps.newId() }, input);
  return Object.assign(call, { close: () => control.close() });
}
