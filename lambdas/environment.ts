/**
 * The environment of each function, parsed once when it starts (docs/adr/0004 lists it). What is missing or wrong ends the start with
 * its name. Powertools read their own `POWERTOOLS_*`; the SDK's clients their `AWS_*`.
 */
import { z } from 'zod';
import { rateTextSchema } from '../control/http/throttle.ts';

/** The empty string counts as not given: a template cannot leave a variable out as easily. */
const optional = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => (value === '' ? undefined : value), schema.optional());

const seconds = z.coerce.number().int().positive();
const switchedOn = z
  .enum(['true', 'false'])
  .default('false')
  .transform((text) => text === 'true');

const wakeUrl = z.url({ protocol: /^wss?$/ });

const variables = {
  AWS_REGION: z.string().min(1),
  /** Instead of the region's own STS, which is asked who a host is. */
  AWS_ENDPOINT_URL_STS: optional(z.url()),
  GANTRY_TABLE: z.string().min(1),
  GANTRY_ACCOUNT_ID: z.string().regex(/^\d{12}$/, 'must be twelve digits'),
  GANTRY_HEARTBEAT_SECONDS: seconds.default(60),
  GANTRY_RETENTION_SECONDS: seconds.default(7 * 24 * 3600),
  /** How often one access key or principal may call this instance of the function, a second and at once: `2000/4000`. */
  GANTRY_READ_RATE: optional(rateTextSchema),
  GANTRY_MUTATION_RATE: optional(rateTextSchema),
  /** How long the audit log keeps calls; 0: there is none. */
  GANTRY_AUDIT_SECONDS: z.coerce
    .number()
    .int()
    .nonnegative()
    .default(90 * 24 * 3600),
  GANTRY_LOG_LEVEL: z.enum(['DEBUG', 'INFO', 'WARN', 'ERROR', 'SILENT']).default('INFO'),
  POWERTOOLS_METRICS_DISABLED: switchedOn,
  /** Tracing costs a tenth of a second at each cold start and five dollars a million requests: off unless asked for. */
  POWERTOOLS_TRACE_ENABLED: switchedOn,
  /** Where agents dial their wake-up socket: `wss://…/<stage>`. */
  GANTRY_WAKE_URL: optional(wakeUrl),
  /** Where frames for those sockets are posted: `https://…/<stage>`. */
  GANTRY_CONNECTIONS_ENDPOINT: optional(z.url({ protocol: /^https?$/ })),
  /** The KMS key that seals access keys. */
  GANTRY_KEY_ARN: optional(z.string().min(1)),
  /** Where webhooks may be sent to; `private` is for networks that are one's own. */
  GANTRY_WEBHOOK_ADDRESSES: optional(z.enum(['public', 'private'])),
  GANTRY_EVENT_BUS: z.string().min(1),
  /** Whether the function that tells of changes is there, and so what it has told. */
  GANTRY_EVENTS: switchedOn,
  /** What tells instances that this control plane has bought from those of others in the account: a tag. */
  GANTRY_CONTROL_PLANE: z.string().min(1),
  /** The function that buys hosts; where there is none, nothing is bought. */
  GANTRY_FLEET_FUNCTION: optional(z.string().min(1)),
  /** Instead of the region's own Lambda. */
  AWS_ENDPOINT_URL_LAMBDA: optional(z.url()),
};

const controlSchema = z.object(variables).omit({
  GANTRY_EVENT_BUS: true,
  GANTRY_CONTROL_PLANE: true,
  GANTRY_FLEET_FUNCTION: true,
  AWS_ENDPOINT_URL_LAMBDA: true,
});
/** Only `wake` asks for hosts. */
const wakeSchema = controlSchema.extend({
  GANTRY_FLEET_FUNCTION: variables.GANTRY_FLEET_FUNCTION,
  AWS_ENDPOINT_URL_LAMBDA: variables.AWS_ENDPOINT_URL_LAMBDA,
});
const fleetSchema = controlSchema.extend({ GANTRY_CONTROL_PLANE: variables.GANTRY_CONTROL_PLANE });
/** Hosts cannot do without: they sign for the path of the address that they dial. */
const hostsSchema = controlSchema.extend({ GANTRY_WAKE_URL: wakeUrl });
const eventsSchema = controlSchema
  .extend({ GANTRY_EVENT_BUS: variables.GANTRY_EVENT_BUS })
  .omit({ GANTRY_CONNECTIONS_ENDPOINT: true, GANTRY_WAKE_URL: true });

/** Of the functions that run the control plane. */
export type ControlEnvironment = z.infer<typeof controlSchema>;
/** Of the function that hosts ask. */
type HostsEnvironment = z.infer<typeof hostsSchema>;
/** Of the function that places what waits. */
type WakeEnvironment = z.infer<typeof wakeSchema>;
/** Of the function that buys hosts. */
type FleetEnvironment = z.infer<typeof fleetSchema>;
/** Of the function that tells the event bus. */
export type EventsEnvironment = z.infer<typeof eventsSchema>;
export type CommonEnvironment = Pick<
  ControlEnvironment,
  'GANTRY_LOG_LEVEL' | 'POWERTOOLS_METRICS_DISABLED' | 'POWERTOOLS_TRACE_ENABLED'
>;

type Given = Readonly<Record<string, string | undefined>>;

export const controlEnvironment = (given: Given): ControlEnvironment => read(controlSchema, given);
export const hostsEnvironment = (given: Given): HostsEnvironment => read(hostsSchema, given);
export const wakeEnvironment = (given: Given): WakeEnvironment => read(wakeSchema, given);
export const fleetEnvironment = (given: Given): FleetEnvironment => read(fleetSchema, given);
export const eventsEnvironment = (given: Given): EventsEnvironment => read(eventsSchema, given);

function read<T>(schema: z.ZodType<T>, given: Given): T {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new Error(`The function's environment cannot be used:\n${z.prettifyError(parsed.error)}`);
}
