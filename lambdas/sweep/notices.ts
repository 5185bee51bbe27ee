/**
 * What EC2 and AWS Health tell of instances before they go, and EC2 when they are gone, out of their events. Pure. Of what is not about
 * the end of instances nothing is understood; what should be and cannot be read throws.
 */
import { z } from 'zod';
import { type Ec2Notice, ec2NoticeSchema } from '../../core/ec2-notice.ts';

export interface InstancesWord {
  readonly instanceIds: readonly string[];
  /** What comes, or that it is over. */
  readonly word: Ec2Notice | { readonly kind: 'gone' };
}

const detailTypeSchema = z.object({ 'detail-type': z.string() });

const instanceIdSchema = z.string().regex(/^i-[0-9a-f]+$/);
const time = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));

const stateSchema = z.object({ detail: z.object({ 'instance-id': instanceIdSchema, state: z.string() }) });
const interruptionSchema = z.object({ time, detail: z.object({ 'instance-id': instanceIdSchema }) });
const rebalanceSchema = z.object({ detail: z.object({ 'instance-id': instanceIdSchema }) });

/** Of all that AWS Health tells: read before the rest, most of which is not about instances of ours. */
const healthSchema = z.object({
  detail: z.object({
    service: z.string(),
    eventTypeCode: z.string(),
    eventTypeCategory: z.string(),
    /** `closed`: it is over, or was called off. */
    statusCode: z.string().optional(),
  }),
});
const retirementSchema = z.object({
  resources: z.array(z.string()).default([]),
  detail: z.object({
    /** For example `Sat, 05 Jun 2100 15:10:09 GMT`. */
    startTime: z.string().transform((text) => Date.parse(text)),
    affectedEntities: z.array(z.object({ entityValue: z.string() })).default([]),
  }),
});

/** EC2 gives so much time from the warning on. */
const interruptionMs = 120_000;
const endStates = new Set(['shutting-down', 'terminated']);

const readers: Readonly<Record<string, (event: unknown) => InstancesWord | undefined>> = {
  'EC2 Instance State-change Notification'(event) {
    const { 'instance-id': instanceId, state } = stateSchema.parse(event).detail;
    // A stopped instance may start again, and its host is then back; one that shuts down for good is not.
    return endStates.has(state) ? { instanceIds: [instanceId], word: { kind: 'gone' } } : undefined;
  },
  'EC2 Spot Instance Interruption Warning'(event) {
    const { time: saidAt, detail } = interruptionSchema.parse(event);
    return noticeTo([detail['instance-id']], { kind: 'spot-interruption', at: saidAt + interruptionMs });
  },
  'EC2 Instance Rebalance Recommendation': (event) =>
    noticeTo([rebalanceSchema.parse(event).detail['instance-id']], { kind: 'rebalance' }),
  'AWS Health Event'(event) {
    const { service, eventTypeCategory, eventTypeCode, statusCode } = healthSchema.parse(event).detail;
    const isRetirement = service === 'EC2' && eventTypeCategory === 'scheduledChange' && retires.test(eventTypeCode);
    if (!isRetirement || statusCode === 'closed') return undefined;
    const { resources, detail } = retirementSchema.parse(event);
    const named = [...resources, ...detail.affectedEntities.map(({ entityValue }) => entityValue)];
    // Ids or ARNs of instances, and of dedicated hosts, which are no instances.
    const instanceIds = new Set(named.flatMap((name) => /(?:^|\/)(i-[0-9a-f]+)$/.exec(name)?.[1] ?? []));
    return noticeTo([...instanceIds], { kind: 'retirement', at: detail.startTime });
  },
};

/** AWS_EC2_INSTANCE_RETIREMENT_SCHEDULED, AWS_EC2_PERSISTENT_INSTANCE_RETIREMENT_SCHEDULED and their kin. */
const retires = /^AWS_EC2_.*RETIREMENT/;

const noticeTo = (instanceIds: readonly string[], notice: Ec2Notice): InstancesWord => ({
  instanceIds,
  word: ec2NoticeSchema.parse(notice),
});

/** Whether the event is of a kind that tells of instances. */
export const tellsOfInstances = (event: unknown): boolean => readerOf(event) !== undefined;

/** Undefined where it tells of nothing that matters. Throws where it cannot be read. */
export const wordOf = (event: unknown): InstancesWord | undefined => readerOf(event)?.(event);

function readerOf(event: unknown): ((event: unknown) => InstancesWord | undefined) | undefined {
  const parsed = detailTypeSchema.safeParse(event);
  if (!parsed.success) return undefined;
  const { 'detail-type': detailType } = parsed.data;
  return Object.hasOwn(readers, detailType) ? readers[detailType] : undefined;
}
