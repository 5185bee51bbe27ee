/** The settings of a cluster: ECS' own as far as tools always send them, and ours. */
import type { Cluster, ClusterSetting } from './cluster.ts';
import { firstDouble, parameterFault } from './faults.ts';

/** `enabled`: what fits nowhere waits for capacity also where the caller named a launch type, instead of being refused. */
const waitForCapacity = 'gantry:waitForCapacity';

/** For how long a host must be silent until its tasks are given up; 0: they never are. */
const hostLostAfter = 'gantry:hostLostAfterSeconds';
/**
 * A reboot or an upgrade takes less, and who waits for a task by ECS' stock waiters has no more patience. ECS itself never gives a task up.
 */
const hostLostAfterDefaultSeconds = 600;
/** Less would be shorter than the silence after which a host is shown as not connected. */
const hostLostAfterRange = [60, 604_800] as const;

interface Values {
  readonly allows: (value: string) => boolean;
  /** In words. */
  readonly are: string;
}

const oneOf = (...values: readonly string[]): Values => ({
  allows: (value) => values.includes(value),
  are: values.join(' or '),
});

const [leastLost, mostLost] = hostLostAfterRange;

/** Container Insights switched on would promise metrics that nobody collects; tools send it switched off. */
const known: Readonly<Record<string, Values>> = {
  containerInsights: oneOf('disabled'),
  [waitForCapacity]: oneOf('disabled', 'enabled'),
  [hostLostAfter]: {
    allows: (value) =>
      value === '0' || (/^[1-9]\d{0,6}$/.test(value) && Number(value) >= leastLost && Number(value) <= mostLost),
    are: `0 (never) or ${leastLost} to ${mostLost} seconds`,
  },
};

/** Those that were set before and are not named stay. Throws on a name or a value that is not known. */
export function mergeSettings(
  before: readonly ClusterSetting[],
  given: readonly { readonly name?: string | undefined; readonly value?: string | undefined }[],
): ClusterSetting[] {
  const settings = given.map(({ name = '', value = '' }, index) => {
    const values = Object.hasOwn(known, name) ? known[name] : undefined;
    if (values === undefined)
      throw parameterFault(
        `settings[${index}].name`,
        `settings[${index}].name must be ${Object.keys(known).join(' or ')}; it is "${name}".`,
      );
    if (!values.allows(value))
      throw parameterFault(
        `settings[${index}].value`,
        `settings[${index}].value of ${name} must be ${values.are}; it is "${value}".`,
      );
    return { name, value };
  });
  const double = firstDouble(settings, ({ name }) => name);
  if (double !== undefined)
    throw parameterFault(`settings[${double.index}].name`, `The setting ${double.item.name} is given twice.`);
  return [...before.filter(({ name }) => !settings.some((setting) => setting.name === name)), ...settings];
}

/** Undefined where they never are. */
export function hostLostAfterSeconds({ settings }: Pick<Cluster, 'settings'>): number | undefined {
  const set = settings.find(({ name }) => name === hostLostAfter);
  const seconds = set === undefined ? hostLostAfterDefaultSeconds : Number(set.value);
  return seconds === 0 ? undefined : seconds;
}

export const waitsForCapacity = ({ settings }: Pick<Cluster, 'settings'>): boolean =>
  settings.some(({ name, value }) => name === waitForCapacity && value === 'enabled');
