/** The settings of a cluster: ECS' own as far as tools always send them, and ours. */
import type { Cluster, ClusterSetting } from './cluster.ts';
import { firstDouble, parameterFault } from './faults.ts';

/** `enabled`: what fits nowhere waits for capacity also where the caller named a launch type, instead of being refused. */
const waitForCapacity = 'gantry:waitForCapacity';

/** Container Insights switched on would promise metrics that nobody collects; tools send it switched off. */
const known: Readonly<Record<string, readonly string[]>> = {
  containerInsights: ['disabled'],
  [waitForCapacity]: ['disabled', 'enabled'],
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
    if (!values.includes(value))
      throw parameterFault(
        `settings[${index}].value`,
        `settings[${index}].value of ${name} must be ${values.join(' or ')}; it is "${value}".`,
      );
    return { name, value };
  });
  const double = firstDouble(settings, ({ name }) => name);
  if (double !== undefined)
    throw parameterFault(`settings[${double.index}].name`, `The setting ${double.item.name} is given twice.`);
  return [...before.filter(({ name }) => !settings.some((setting) => setting.name === name)), ...settings];
}

export const waitsForCapacity = ({ settings }: Pick<Cluster, 'settings'>): boolean =>
  settings.some(({ name, value }) => name === waitForCapacity && value === 'enabled');
