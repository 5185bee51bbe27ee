/** The rules of the environment of a container, in a revision and in overrides of it. */
import { clientFault, refuseNul } from './faults.ts';

export function checkEnvironment(
  environment: readonly { readonly name: string; readonly value: string }[],
  path: string,
  refuse = clientFault,
): void {
  for (const [index, { name, value }] of environment.entries()) {
    const field = `${path}[${index}]`;
    if (name === '') throw refuse(`${field}.name`, `${field}.name should not be null or empty.`);
    if (name.includes('=')) throw refuse(`${field}.name`, `${field}.name must not contain "="; it is "${name}".`);
    refuseNul(refuse, `${field}.name`, name);
    refuseNul(refuse, `${field}.value`, value);
  }
}
