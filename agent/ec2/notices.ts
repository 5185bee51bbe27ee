/**
 * Watches instance metadata for what EC2 says beforehand of this instance: a spot interruption, a rebalance recommendation, a maintenance
 * that takes the machine away. Remembers nothing of value: an agent that starts again asks again.
 */
import type { Logger } from 'pino';
import { z } from 'zod';
import type { Ec2Notice } from '../../core/ec2-notice.ts';
import type { Clock } from '../clock.ts';
import type { WatchNotices } from '../loops/notices.ts';
import { type InstanceMetadata, MetadataError } from './metadata.ts';

/** AWS' own advice for what leaves two minutes. */
const lookEveryMs = 5000;
/** Said days before. */
const maintenanceEveryMs = 60_000;

interface NoticesDeps {
  readonly clock: Clock;
  readonly log: Logger;
}

export const watchInstance =
  (metadata: InstanceMetadata, { clock, log }: NoticesDeps): WatchNotices =>
  async (found, signal) => {
    const look = createLook(metadata, log);
    let isSpot: boolean | undefined;
    let maintenanceAt = 0;
    while (!signal.aborted) {
      isSpot ??= (await look(lifeCycle))?.includes('spot');
      if (isSpot === true) for (const item of spotItems) for (const notice of (await look(item)) ?? []) found(notice);
      if (clock.now() >= maintenanceAt) {
        const notices = await look(maintenance);
        for (const notice of notices ?? []) found(notice);
        if (notices !== undefined) maintenanceAt = clock.now() + maintenanceEveryMs;
      }
      await clock.sleep(isSpot === false ? maintenanceEveryMs : lookEveryMs, signal);
    }
  };

interface MetadataItem<T> {
  readonly path: string;
  /** Throws where it says something else than it should. */
  readonly read: (text: string) => readonly T[];
}

const time = z.string().transform((text, context) => {
  const at = Date.parse(text);
  if (!Number.isNaN(at)) return at;
  context.addIssue('is not a time');
  return z.NEVER;
});

/** `spot`, `on-demand`, `scheduled` or `capacity-block`. */
const lifeCycle: MetadataItem<string> = { path: 'instance-life-cycle', read: (text) => [text] };

/** Whether it is to be stopped, ended or hibernated: its tasks end in any case. */
const interruptionSchema = z.object({ action: z.string(), time });
const rebalanceSchema = z.object({ noticeTime: z.string() });

const spotItems: readonly MetadataItem<Ec2Notice>[] = [
  {
    path: 'spot/instance-action',
    read: (text) => [{ kind: 'spot-interruption', at: interruptionSchema.parse(JSON.parse(text)).time }],
  },
  {
    path: 'events/recommendations/rebalance',
    read(text) {
      rebalanceSchema.parse(JSON.parse(text));
      return [{ kind: 'rebalance' }];
    },
  },
];

const maintenanceSchema = z.array(z.object({ Code: z.string(), State: z.string(), NotBefore: z.string() }));
/** A reboot is none: the machine and what is on its disk come back. */
const takesAway = new Set(['instance-retirement', 'instance-stop']);

const maintenance: MetadataItem<Ec2Notice> = {
  path: 'events/maintenance/scheduled',
  read: (text) =>
    maintenanceSchema
      .parse(JSON.parse(text))
      .filter(({ Code, State }) => State === 'active' && takesAway.has(Code))
      .map(({ NotBefore }) => ({ kind: 'retirement', at: time.parse(NotBefore) })),
};

/** Answers nothing where there is no such item, or none that can be understood; undefined where it cannot be asked now. */
function createLook(metadata: InstanceMetadata, log: Logger) {
  const strange = new Map<string, string>();
  return async <T>({ path, read }: MetadataItem<T>): Promise<readonly T[] | undefined> => {
    let text: string | undefined;
    try {
      text = await metadata.read(path);
      return text === undefined ? [] : read(text);
    } catch (error) {
      if (error instanceof MetadataError) log.debug({ err: error, path }, 'instance metadata cannot be asked now');
      else if (text !== undefined && strange.get(path) !== text) {
        strange.set(path, text);
        log.warn({ err: error, path, text }, 'instance metadata says something that is not understood');
      }
      return error instanceof MetadataError ? undefined : [];
    }
  };
}
