/** The change of a host's attributes, which are part of its capacity item: placement reads them where it reads what is free. */
import type { HostCapacity } from '../../core/model/host.ts';
import type { AttributesOfHost } from '../../core/model/host-attributes.ts';
import { keys } from './keys.ts';
import type { Change, Condition, Json, Path } from './table.ts';
import { hostGrown } from './table-shape.ts';

/** Holds while the attributes are still as they were seen. */
export const attributesAreStill = ({ attributesVersion }: HostCapacity): Condition =>
  attributesVersion === undefined
    ? { path: ['attributesVersion'], is: 'absent' }
    : { path: ['attributesVersion'], is: '=', value: attributesVersion };

/** The members of an update, with the condition that the attributes are still as they were seen. */
export const attributesUpdate = (
  seen: HostCapacity,
  { attributes, putAttributes = [] }: AttributesOfHost,
): { readonly set: { path: Path; value: Json }[]; readonly when: Condition } => ({
  set: [
    { path: ['attributes'], value: attributes },
    { path: ['putAttributes'], value: putAttributes },
    { path: ['attributesVersion'], value: (seen.attributesVersion ?? 0) + 1 },
  ],
  when: attributesAreStill(seen),
});

/** Refused where they were changed since, or the host is none any more. */
export function replaceAttributes(seen: HostCapacity, next: AttributesOfHost): Change {
  const { set, when } = attributesUpdate(seen, next);
  return {
    kind: 'update',
    key: keys.hostCapacity(seen.cluster, seen.hostId),
    // A task that waits may fit now.
    set: [...set, { path: [hostGrown], value: true }],
    when: [when, { path: ['status'], is: '=', value: seen.status }],
  };
}
