/**
 * What EC2 says beforehand of an instance that it takes away, whoever hears it first (the agent from instance metadata, the control plane
 * from an event), and what that means to the tasks on it. Both hear the same and so come to the same.
 */
import { z } from 'zod';
import type { StopCode } from './model/task.ts';
import { formatTime } from './text.ts';

/** When the machine goes, or may go: epoch milliseconds that a date can be made of. */
const atSchema = z.number().int().positive().max(8_640_000_000_000_000);

export const ec2NoticeSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('spot-interruption'), at: atSchema }),
  /** Its hardware fails: the instance is stopped or ended then, or a while after. Said weeks before. */
  z.object({ kind: z.literal('retirement'), at: atSchema }),
  /** The spot instance is likelier than others to be interrupted; it may as well never be. */
  z.object({ kind: z.literal('rebalance') }),
]);
export type Ec2Notice = z.infer<typeof ec2NoticeSchema>;

export interface Ec2NoticeMeaning {
  /** When the stopping of what may not be replaced begins; absent: never because of this. */
  readonly deadline?: number;
  readonly stopCode: StopCode;
  readonly reason: string;
}

/**
 * How long before the machine goes tasks are stopped, so that SIGTERM's time fits in. Of two minutes a task gets ECS' default of
 * `stopTimeout` and no more, for what it does until then counts too; of two weeks any `stopTimeout` that is not absurd.
 */
const stopsBeforeMs = { 'spot-interruption': 30_000, retirement: 10 * 60_000 } as const;

export function meaningOf(notice: Ec2Notice): Ec2NoticeMeaning {
  switch (notice.kind) {
    case 'spot-interruption':
      return {
        deadline: notice.at - stopsBeforeMs[notice.kind],
        stopCode: 'SpotInterruption',
        reason: `EC2 takes the spot instance back at ${formatTime(notice.at)}.`,
      };
    case 'retirement':
      return {
        deadline: notice.at - stopsBeforeMs[notice.kind],
        stopCode: 'TerminationNotice',
        reason: `EC2 retires the instance: it goes at ${formatTime(notice.at)} or soon after.`,
      };
    case 'rebalance':
      return {
        stopCode: 'TerminationNotice',
        reason: 'EC2 recommends to leave the spot instance, as it is likely to be interrupted.',
      };
  }
}
