/** What `cdk deploy -c gantry:<key>=<value>` may say, parsed. Knows nothing of constructs. */
import { z } from 'zod';

const prefix = 'gantry:';

/** Its description is its right form, as errors say it. */
const member = <Schema extends z.ZodType>(schema: Schema, form: string) => z.exactOptional(schema).describe(form);

const wholeNumber = (min: number, max: number) =>
  member(
    z
      .union([z.number(), z.string().regex(/^\d+$/).transform(Number)])
      .refine((value) => Number.isInteger(value) && value >= min && value <= max),
    `a whole number from ${min} to ${max}`,
  );

const onOff = member(
  z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')]),
  'true or false',
);

const text = (pattern: RegExp, form: string) => member(z.string().regex(pattern), form);

const keys = {
  stackName: text(/^[A-Za-z][A-Za-z0-9-]{0,127}$/, '1 to 128 letters, digits and hyphens, and begin with a letter'),
  clusterName: text(/^[\w-]{1,255}$/, '1 to 255 letters, digits, hyphens and underscores'),
  maxHosts: wholeNumber(0, 1000),
  maxHourlyUsd: member(
    z
      .union([
        z.number(),
        z
          .string()
          .regex(/^\d+(\.\d+)?$/)
          .transform(Number),
      ])
      .refine((value) => value > 0),
    'a number of dollars an hour, more than 0',
  ),
  instanceTypes: member(
    z
      .string()
      .regex(/^[a-z0-9*.-]+(,[a-z0-9*.-]+)*$/)
      .transform((list) => list.split(',')),
    'names of instance types with commas between them, for example m7i.*,c7i.*',
  ),
  market: member(z.enum(['on-demand', 'spot', 'spot-first']), 'on-demand, spot or spot-first'),
  hosts: wholeNumber(0, 100),
  instanceType: text(/^[a-z0-9-]+\.[a-z0-9-]+$/, 'an instance type of EC2, for example t4g.small'),
  alarmEmail: member(z.email(), 'an address of e-mail'),
  wireFront: member(z.enum(['cloudfront', 'http-api', 'function-url']), 'cloudfront, http-api or function-url'),
  removalPolicy: member(z.enum(['retain', 'destroy']), 'retain or destroy'),
  restoredTableStream: text(
    /^arn:[\w-]+:dynamodb:[\w-]+:\d{12}:table\/[\w.-]{3,255}\/stream\/[\w:.-]+$/,
    "the ARN of a table's stream",
  ),
  heartbeatSeconds: wholeNumber(10, 300),
  auditDays: wholeNumber(0, 3650),
  hostsReservedConcurrency: wholeNumber(0, 100_000),
  accessKeyEncryption: onOff,
  events: onOff,
  fleet: onOff,
  alarms: onOff,
  dashboard: onOff,
  metrics: onOff,
  tracing: onOff,
  accessLogs: onOff,
};

const optionsSchema = z.strictObject(keys);
export type AppOptions = z.infer<typeof optionsSchema>;

/** Read by the construct library itself, not here. */
const keysOfTheLibrary = ['dist', 'node-linux-x64', 'node-linux-arm64'];

/** Throws an Error that names each wrong key, its value and its right form. */
export function appOptions(context: Readonly<Record<string, unknown>>): AppOptions {
  const given = Object.fromEntries(
    Object.entries(context)
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => [key.slice(prefix.length), value] as const)
      .filter(([key]) => !keysOfTheLibrary.includes(key)),
  );
  const parsed = optionsSchema.safeParse(given);
  if (parsed.success) return parsed.data;
  const complaints = Object.entries(given).flatMap(([key, value]) => complaintOf(key, value) ?? []);
  throw new Error(`Context cannot be used:\n${complaints.map((line) => `  ${line}`).join('\n')}`);
}

function complaintOf(key: string, value: unknown): string | undefined {
  if (!isKey(key)) return `${prefix}${key} is not known; known are ${Object.keys(keys).join(', ')}.`;
  if (keys[key].safeParse(value).success) return undefined;
  return `${prefix}${key} is ${JSON.stringify(value)}, but must be ${keys[key].description}.`;
}

const isKey = (key: string): key is keyof typeof keys => Object.hasOwn(keys, key);
