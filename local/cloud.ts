/** What the command line asks of this machine, with options checked by name. */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { CopyProgress } from '../control/copied-store.ts';
import { GantryError } from '../core/errors.ts';
import { examine } from './doctor.ts';
import { down } from './down.ts';
import { helloImage } from './hello-image.ts';
import { planHosts } from './host-plan.ts';
import { thisMachine } from './machine.ts';
import { logTail, runningPid, startManaged } from './managed-process.ts';
import { nodeCommand } from './node-command.ts';
import { type CloudOptions, cloudOptionsSchema, cloudPaths } from './options.ts';
import { checkMachine, supervisorProcess } from './preflight.ts';
import { readOptions } from './server.ts';
import { type UpEvents, up } from './up.ts';

type RawOptions = Readonly<Record<string, unknown>>;

const downOptionsSchema = cloudOptionsSchema
  .pick({ dataDir: true, runDir: true })
  .extend({ purge: z.boolean().default(false) });

const detachedEntry = fileURLToPath(import.meta.resolve('./up-main.ts'));

export const localCloud = {
  up: (raw: RawOptions, events: UpEvents, signal: AbortSignal) => up(parse(cloudOptionsSchema, raw), events, signal),
  upDetached: (raw: RawOptions, events: UpEvents, signal: AbortSignal) =>
    upDetached(parse(cloudOptionsSchema, raw), events, signal),
  hasData: (raw: RawOptions) => existsSync(cloudPaths(parse(cloudOptionsSchema, raw)).database),
  down: (raw: RawOptions, say: (line: string) => void) => down(parse(downOptionsSchema, ofCloudHere(raw)), say),
  examine: (raw: RawOptions) => examine(parse(cloudOptionsSchema, ofCloudHere(raw))),
  restored: async (raw: RawOptions) => {
    // Seldom, and with all of the store behind it.
    const { sayRestored } = await import('./restored.ts');
    return sayRestored(parse(cloudOptionsSchema, raw));
  },
  copyStore: async (raw: RawOptions, progress: (progress: CopyProgress) => void, signal: AbortSignal) => {
    const { copyOptionsSchema, copyStores } = await import('./store-copy/copy.ts');
    return copyStores(parse(copyOptionsSchema, raw), { progress, signal, now: () => Date.now() });
  },
  helloImage: (wanted: string, raw: RawOptions, say: (line: string) => void) =>
    helloImage(wanted, cloudPaths(parse(cloudOptionsSchema, ofCloudHere(raw))), say),
};

/** Whoever brought a cloud up said where its data are: nobody has to say it again. */
function ofCloudHere(raw: RawOptions): RawOptions {
  const known = readOptions(cloudPaths(parse(cloudOptionsSchema, raw)));
  return known === undefined ? raw : { ...raw, dataDir: raw.dataDir ?? known.dataDir };
}

/** `gantry up` in the background: the same supervisor, in a process of its own. Where it throws, nothing that it started is left. */
async function upDetached(options: CloudOptions, events: UpEvents, signal: AbortSignal): Promise<void> {
  const paths = cloudPaths(options);
  const purge = !existsSync(paths.dataDir);
  await checkMachine(options, paths);
  rmSync(paths.ready, { force: true }); // A supervisor that was killed leaves it behind.
  writeFileSync(paths.detachedOptions, JSON.stringify(options), { mode: 0o600 });
  startManaged({
    ...supervisorProcess(paths),
    ...nodeCommand(detachedEntry, ['up', paths.detachedOptions]),
    env: process.env,
    logFile: paths.supervisorLog,
  });
  while (!existsSync(paths.ready)) {
    const ended = runningPid(supervisorProcess(paths)) === undefined;
    if (ended || signal.aborted) {
      const log = logTail(paths.supervisorLog);
      await down({ ...options, purge }, () => {});
      signal.throwIfAborted();
      throw new GantryError('ServerException', log);
    }
    await delay(50);
  }
  for (const line of logTail(paths.supervisorLog, Math.max(1, planHosts(options, thisMachine()).length) + 2).split(
    '\n',
  ))
    events.say(line);
  await events.ready();
}

function parse<T extends z.ZodType>(schema: T, raw: RawOptions): z.output<T> {
  const known = schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
  const parsed = schema.safeParse(Object.fromEntries(Object.entries(raw).filter(([name]) => known.includes(name))));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = issue?.path.join('.') ?? '';
  throw new GantryError('InvalidParameterException', `${field}: ${issue?.message ?? 'is wrong'}.`, { field });
}
