/** Whatever is answered in pages, whole. */
import type { ContainerInstanceView } from '../core/api/shapes.ts';
import { compact } from '../core/compact.ts';
import type { CommandContext } from './context.ts';

export async function allPages<Page extends { readonly nextToken?: string | undefined }, Item>(
  ask: (nextToken: string | undefined) => Promise<Page>,
  itemsOf: (page: Page) => readonly Item[],
): Promise<Item[]> {
  const items: Item[] = [];
  let nextToken: string | undefined;
  do {
    const page = await ask(nextToken);
    items.push(...itemsOf(page));
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
  return items;
}

/** By name, as people count. */
export async function allHosts(
  { client, cluster, signal }: Pick<CommandContext, 'client' | 'cluster' | 'signal'>,
  filter?: string,
): Promise<ContainerInstanceView[]> {
  const hosts = await allPages(
    (nextToken) => client().call('GetHosts', compact({ cluster, filter, nextToken }), signal),
    (page) => page.hosts,
  );
  return hosts.sort((a, b) => a.hostName.localeCompare(b.hostName, 'en', { numeric: true }));
}
