/** What containerd was told of a container, made comparable: two contenders that run the same container have the same text. */
import type { NamespacedContainerd } from '../../agent/containerd/client.ts';

/** Of the task metadata endpoint: each container has an id there, which nobody else knows. */
const metadataAddress = /http:\/\/[\d.]+\/v4\/[\da-f]{32}/;

/** @param names what must differ (ids, directories, addresses), each with what stands for it in the text */
export async function comparableSpecification(
  containerd: NamespacedContainerd,
  id: string,
  names: Readonly<Record<string, string>>,
): Promise<string> {
  const { container } = await containerd.containers.get({ id });
  if (container?.spec === undefined) throw new Error(`containerd has no specification of ${id}`);
  const text = new TextDecoder().decode(container.spec.value);
  // The longest first: an id may be a part of a longer name.
  return Object.keys(names)
    .toSorted((a, b) => b.length - a.length)
    .reduce((comparable, name) => comparable.replaceAll(name, names[name] ?? name), text)
    .replace(metadataAddress, 'METADATA');
}
