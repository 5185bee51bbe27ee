/** The cloud of a quickstart: the one that is up here, which is left as it was, or one of its own, which is taken down again. */
import { GantryError } from '../../core/errors.ts';
import type { CloudHere, CommandContext } from '../context.ts';

/** Not where a cloud has its data: what is in there nobody will miss. */
const ownDataDir = '/var/lib/gantry-quickstart';

export interface QuickstartOptions {
  /** As `local` knows them. */
  readonly local: Readonly<Record<string, unknown>>;
  readonly runDir: string | undefined;
  readonly keep: boolean;
}

export interface QuickstartCloud {
  readonly here: CloudHere;
  /** Whether it was there before. */
  readonly borrowed: boolean;
  /** As `local` knows them, with the data directory that is used. */
  readonly local: Readonly<Record<string, unknown>>;
  /** Whether ending it takes its data away too. */
  readonly purged: boolean;
  /** Takes it down, if it was brought up for this. */
  end(say: (line: string) => void): Promise<void>;
}

export async function openCloud(
  { local, cloudHere, out, signal }: CommandContext,
  { runDir, keep, ...options }: QuickstartOptions,
): Promise<QuickstartCloud> {
  const before = cloudHere(runDir);
  if (before !== undefined) {
    await requireAnswer(before, signal);
    out.note(`A cloud is up at ${before.endpoint}: it is used, and left as it is`);
    return { here: before, borrowed: true, purged: false, local: options.local, end: () => Promise.resolve() };
  }
  const usual = keep || options.local.dataDir !== undefined;
  const own = usual ? options.local : { ...options.local, dataDir: ownDataDir };
  // What was there before is not ours to remove.
  const purge = !usual || !local.hasData(own);
  const say = (line: string): void => out.note(`  ${line}`);
  out.note('Bringing a cloud up on this machine');
  await local.upDetached(own, { say, ready: () => {} }, signal);
  const end = (note: (line: string) => void): Promise<void> => local.down({ ...own, purge }, note);
  const here = cloudHere(runDir);
  if (here !== undefined) return { here, borrowed: false, purged: purge, local: own, end };
  await end(say);
  throw new GantryError('ServerException', 'The cloud came up and left no word where it is.');
}

async function requireAnswer({ client }: CloudHere, signal: AbortSignal): Promise<void> {
  try {
    await client.call('ListClusters', {}, signal);
  } catch (error) {
    if (!(error instanceof GantryError) || error.code !== 'ServiceUnavailableException') throw error;
    throw new GantryError(
      'ServiceUnavailableException',
      `A cloud was brought up here, and ${lowerFirst(error.message)}`,
      {
        hint: '`gantry up` takes it up again, `gantry down` takes it down.',
        cause: error,
      },
    );
  }
}

const lowerFirst = (text: string): string => text.slice(0, 1).toLowerCase() + text.slice(1);
