/**
 * ECS' account settings as data: which values each can have, which of them hold here, and what Gantry does with it. One that would have
 * to change something that there is not is refused, one that is about something that there is not at all is kept and changes nothing.
 */
import { parameterFault } from './faults.ts';

interface AccountSetting {
  /** ECS' own; the first is what holds where nobody has set it. */
  readonly values: readonly string[];
  /** Those of ECS' values that cannot be set. */
  readonly refused: readonly string[];
  /** A sentence: what Gantry does with it. */
  readonly effect: string;
  /** `aws_managed`: callers read it only. */
  readonly type: 'user' | 'aws_managed';
}

const onOff = ['enabled', 'disabled'];
const offOn = ['disabled', 'enabled'];

const longArns: AccountSetting = {
  values: onOff,
  refused: ['disabled'],
  effect: 'ARNs always have the long format.',
  type: 'user',
};

const keptOnly = (values: readonly string[], effect: string): AccountSetting => ({
  values,
  refused: [],
  effect: `${effect} The value is kept and changes nothing.`,
  type: 'user',
});

const noFargate = 'Gantry runs tasks on hosts of yours and has no Fargate.';

const settings: Readonly<Record<string, AccountSetting>> = {
  awsvpcTrunking: keptOnly(offOn, 'Tasks have no network interfaces of their own.'),
  containerInsights: {
    values: ['disabled', 'enabled', 'enhanced'],
    refused: ['enabled', 'enhanced'],
    effect: 'Container Insights are not collected.',
    type: 'user',
  },
  containerInstanceLongArnFormat: longArns,
  defaultLogDriverMode: keptOnly(
    ['non-blocking', 'blocking'],
    'A log says its own mode; without one it is non-blocking.',
  ),
  fargateEventWindows: keptOnly(offOn, noFargate),
  fargateFIPSMode: keptOnly(offOn, noFargate),
  fargateTaskRetirementWaitPeriod: keptOnly(['7', '0', '14'], noFargate),
  guardDutyActivate: {
    values: ['off', 'on'],
    refused: ['off', 'on'],
    effect: 'The setting is read-only, in ECS too; nothing watches what tasks do at run time.',
    type: 'aws_managed',
  },
  serviceLongArnFormat: longArns,
  tagResourceAuthorization: keptOnly(['on', 'off'], 'Who may make a resource may always tag it.'),
  taskLongArnFormat: longArns,
};

/** In the order of ECS' answers. */
export const accountSettingNames: readonly string[] = Object.keys(settings);

/** Throws InvalidParameterException where ECS has no setting of this name. */
export function accountSetting(name: string): AccountSetting {
  const setting = Object.hasOwn(settings, name) ? settings[name] : undefined;
  if (setting !== undefined) return setting;
  throw parameterFault('name', `Invalid setting name: "${name}".`, `There are ${accountSettingNames.join(', ')}.`);
}

/** Throws where the setting cannot have this value. */
export function checkAccountSetting(name: string, value: string): void {
  const { values, refused, effect } = accountSetting(name);
  if (!values.includes(value))
    throw parameterFault('value', `Invalid setting value: ${name} must be ${values.join(' or ')}; it is "${value}".`);
  if (refused.includes(value)) throw parameterFault('value', `${name} cannot be ${value}. ${effect}`);
}

/** Where nobody has set it. */
export const usualValue = (name: string): string => accountSetting(name).values[0] ?? '';
