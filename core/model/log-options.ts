/** A container's logConfiguration: what may be said in it, and what it comes to. Refuses with the path of the member at fault. */
import { datetimePattern } from './awslogs-datetime.ts';
import { clientFault } from './faults.ts';
import { awslogsLog, jsonFileLog, type LogTarget } from './log-target.ts';
import { type LogConfiguration, logDriverSchema } from './task-definition.ts';

interface LogConfigurationInput {
  readonly logDriver: string;
  readonly options?: Readonly<Record<string, string>> | undefined;
}

/** Throws with what is wrong of a value, as the end of a sentence. */
type Rule = (text: string) => string | undefined;

const kib = 1024;
const mostSizeBytes = 1024 ** 4;
const mostFiles = 1000;
const defaults = { size: '10m', files: '5', buffer: '10m' } as const;

const powers: Readonly<Record<string, number>> = { '': 0, k: 1, m: 2, g: 3 };

/** As Docker reads sizes; 0 where it is none. */
function bytesOf(text: string): number {
  const [, amount, unit = ''] = /^(\d{1,15})([kmg]?)b?$/i.exec(text) ?? [];
  const power = powers[unit.toLowerCase()];
  return amount === undefined || power === undefined ? 0 : Number(amount) * kib ** power;
}

/** The disk gives back no less than a page of 4 KiB. */
const size: Rule = (text) =>
  bytesOf(text) >= 4 * kib && bytesOf(text) <= mostSizeBytes
    ? undefined
    : `a size between 4k and 1024g, for example ${defaults.size}`;
const files: Rule = (text) =>
  /^\d{1,4}$/.test(text) && Number(text) >= 1 && Number(text) <= mostFiles
    ? undefined
    : `a whole number between 1 and ${mostFiles}`;
const matching =
  (pattern: RegExp, what: string): Rule =>
  (text) =>
    pattern.test(text) ? undefined : what;

const options: Readonly<Record<LogConfiguration['logDriver'], Readonly<Record<string, Rule>>>> = {
  'json-file': { 'max-size': size, 'max-file': files },
  awslogs: {
    'awslogs-group': matching(/^[\w./#-]{1,512}$/, '1 to 512 letters, digits and . - _ / #'),
    'awslogs-region': matching(/^[a-z]{2,4}(-[a-z]+)+-\d{1,2}$/, 'the name of a region, for example eu-central-1'),
    'awslogs-stream-prefix': matching(/^[^:*\0]{1,200}$/, '1 to 200 characters, none of them : or *'),
    'awslogs-create-group': matching(/^(true|false)$/, 'true or false'),
    'awslogs-datetime-format': (text) =>
      datetimePattern(text) === undefined ? 'a format of strftime, for example %Y-%m-%d %H:%M:%S' : undefined,
    mode: matching(/^(non-)?blocking$/, 'blocking or non-blocking'),
    'max-buffer-size': size,
  },
};

/** What is refused for a reason of its own. */
const advice: Readonly<Record<string, string>> = {
  'awslogs-multiline-pattern':
    'A pattern of your own would run in the agent, where one that is slow on some line would hold up all tasks. Use awslogs-datetime-format.',
};

/** Before everything else: who writes for another log driver learns that first. */
export function checkLogDriver(input: LogConfigurationInput | undefined, path: string): void {
  if (input === undefined || logDriverSchema.safeParse(input.logDriver).success) return;
  throw clientFault(
    `${path}.logDriver`,
    `The log driver ${input.logDriver} is not supported yet.`,
    'Use json-file or awslogs, or leave logConfiguration out: the host keeps what the container writes, and `gantry logs` reads it.',
  );
}

/** Of a driver that is known. Throws ClientException where its options are wrong. */
export function normaliseLogConfiguration(
  input: LogConfigurationInput | undefined,
  path: string,
): LogConfiguration | undefined {
  if (input === undefined) return undefined;
  const logDriver = logDriverSchema.parse(input.logDriver);
  const given = input.options ?? {};
  for (const [name, text] of Object.entries(given)) checkOption(logDriver, name, text, `${path}.options.${name}`);
  if (logDriver === 'awslogs' && given['awslogs-group'] === undefined)
    throw clientFault(`${path}.options.awslogs-group`, 'The log driver awslogs needs the option awslogs-group.');
  return { logDriver, ...(Object.keys(given).length > 0 && { options: { ...given } }) };
}

function checkOption(driver: LogConfiguration['logDriver'], name: string, text: string, field: string): void {
  const known = options[driver];
  const rule = Object.hasOwn(known, name) ? known[name] : undefined;
  if (rule === undefined)
    throw clientFault(
      field,
      `The log driver ${driver} has no option ${name} here.`,
      advice[name] ?? `It has ${Object.keys(known).join(', ')}.`,
    );
  const right = rule(text);
  if (right !== undefined) throw clientFault(field, `${name} must be ${right}; it is "${text}".`);
}

/** Undefined where nothing was said: the agent knows what holds then. */
export function logTargetOf(
  configuration: LogConfiguration | undefined,
  { region, taskId, container }: { readonly region: string; readonly taskId: string; readonly container: string },
): LogTarget | undefined {
  if (configuration?.options === undefined) return undefined;
  const given = configuration.options;
  if (configuration.logDriver === 'json-file')
    return jsonFileLog(bytesOf(given['max-size'] ?? defaults.size), Number(given['max-file'] ?? defaults.files));
  const { 'awslogs-stream-prefix': prefix, 'awslogs-datetime-format': datetimeFormat } = given;
  return awslogsLog({
    region: given['awslogs-region'] ?? region,
    group: given['awslogs-group'] ?? '',
    createsGroup: given['awslogs-create-group'] === 'true',
    // As ECS has it where nobody says.
    mode: given.mode === 'blocking' ? 'blocking' : 'non-blocking',
    maxBufferBytes: bytesOf(given['max-buffer-size'] ?? defaults.buffer),
    ...(prefix !== undefined && { stream: `${prefix}/${container}/${taskId}` }),
    ...(datetimeFormat !== undefined && { datetimeFormat }),
  });
}
