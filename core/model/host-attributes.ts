/**
 * The attributes of a host: what its agent reports, and what it was given by API. The two never share a name: where an agent begins to
 * report one that the host was given, the agent's counts from then on.
 */
import { parameterFault, type Refuse } from './faults.ts';
import type { HostCapacity } from './host.ts';

type Attributes = HostCapacity['attributes'];
export type AttributesOfHost = Pick<HostCapacity, 'attributes' | 'putAttributes'>;

/** ECS' own limit. */
export const mostPutAttributes = 10;

/** ECS' and ours, which say what a host is. */
const reservedPrefixes = ['ecs.', 'com.amazonaws.', 'gantry.'];

/** Throws InvalidParameterException; an absent value is none. */
export function checkAttribute(path: string, name: string, value: string | undefined): void {
  const refuse: Refuse = parameterFault;
  if (!/^[\w./\\-]{1,128}$/.test(name))
    throw refuse(
      `${path}.name`,
      `${path}.name must be 1 to 128 letters, digits and the characters - _ . / and \\; it is "${name}".`,
    );
  // Which no object can be trusted to keep as a name of its own.
  if (name === '__proto__') throw refuse(`${path}.name`, `${path}.name cannot be __proto__.`);
  const reserved = reservedPrefixes.find((prefix) => name.toLowerCase().startsWith(prefix));
  if (reserved !== undefined)
    throw refuse(`${path}.name`, `${path}.name begins with ${reserved}, which is reserved.`, 'Choose another name.');
  if (value !== undefined && !/^[\w.@/\\:-]([\w.@/\\: -]{0,126}[\w.@/\\:-])?$/.test(value))
    throw refuse(
      `${path}.value`,
      `${path}.value must be 1 to 128 letters, digits, spaces and the characters - _ . @ / \\ and :, with no space at its ends.`,
    );
}

const isPut = ({ putAttributes = [] }: AttributesOfHost, name: string): boolean => putAttributes.includes(name);

/** Undefined where the host reports an attribute of this name itself. */
export function putAttribute(host: AttributesOfHost, name: string, value: string): AttributesOfHost | undefined {
  const { attributes, putAttributes = [] } = host;
  if (Object.hasOwn(attributes, name) && !isPut(host, name)) return undefined;
  return {
    attributes: { ...attributes, [name]: value },
    putAttributes: isPut(host, name) ? putAttributes : [...putAttributes, name],
  };
}

/** As it is where it has no such attribute; undefined where the host reports it itself. */
export function deleteAttribute(host: AttributesOfHost, name: string): AttributesOfHost | undefined {
  const { attributes, putAttributes = [] } = host;
  if (!Object.hasOwn(attributes, name)) return host;
  if (!isPut(host, name)) return undefined;
  const { [name]: _, ...others } = attributes;
  return { attributes: others, putAttributes: putAttributes.filter((put) => put !== name) };
}

/** Once its agent reports these. */
export function reportedAttributes(
  { attributes, putAttributes = [] }: AttributesOfHost,
  reported: Attributes,
): AttributesOfHost {
  const kept = putAttributes.filter((name) => !Object.hasOwn(reported, name));
  const given = Object.fromEntries(kept.map((name) => [name, attributes[name] ?? '']));
  return { attributes: { ...reported, ...given }, putAttributes: kept };
}
