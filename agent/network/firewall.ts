/**
 * The published ports of a host, kept in the kernel as they are wanted. Changes that come while one is under way are made together.
 * Adding is quick and stands in a task's way to its start; deleting waits for the kernel (about 15 ms with nf_tables), so it comes
 * after whatever is to be added. Neither grows with what is published already. Each change also looks whether all of our rules are
 * there still, in the same call of iptables-restore, and so does `repair`.
 */
import { existsSync } from 'node:fs';
import { forgetStaleFlows } from './conntrack.ts';
import {
  applyByEach,
  applyByFirstWorking,
  type FirewallBackend,
  ipv4Backends,
  ipv6Backends,
  otherBackends,
  restoreTables,
  savedTable,
} from './firewall-backend.ts';
import {
  changeRestore,
  checkRestore,
  type Family,
  type FirewallShape,
  fullRestore,
  type HostModeMatch,
  publishedIn,
  removalRestore,
} from './firewall-rules.ts';
import { type Publication, publishRule } from './publications.ts';
import { ToolError } from './tool.ts';

export interface FirewallOptions {
  readonly shape: FirewallShape;
  readonly netns: string | undefined;
  /** Addresses at which published ports are reached, beside 127.0.0.0/8. */
  readonly localAddresses: () => readonly string[];
  /** Tried in this order. */
  readonly backends?: Readonly<Record<Family, readonly FirewallBackend[]>>;
}

/** Publications by their rules. */
type Published = Map<string, Publication>;

const allBackends = { IPv4: ipv4Backends, IPv6: ipv6Backends };

export class Firewall {
  readonly #options: FirewallOptions;
  #shape: FirewallShape;
  /** What is wanted, by task. */
  readonly #wanted = new Map<string, Published>();
  /** What the kernel has; undefined while that is not known. */
  #applied: Published | undefined;
  readonly #backends = new Map<Family, FirewallBackend>();
  /** Families of which no other backend has rules of ours. */
  readonly #isAlone = new Set<Family>();
  /** The shape as it could be applied; undefined where this iptables does not find its own rules again. */
  #checked: FirewallShape | undefined;
  #keepsHostMode = false;
  #isToBeChecked = false;
  /** Settles when the change under way is made. */
  #running: Promise<void> = Promise.resolve();
  #nextRound: Promise<void> | undefined;

  constructor(options: FirewallOptions) {
    this.#options = options;
    this.#shape = options.shape;
  }

  /** Resolves when the rules are in the kernel. Throws ToolError. */
  async publish(taskId: string, publications: readonly Publication[]): Promise<void> {
    const rules = byRule(publications);
    this.#wanted.set(taskId, rules);
    const isSuperseded = () => this.#wanted.get(taskId) !== rules;
    await this.#settle(() => isSuperseded() || [...rules.keys()].every((rule) => this.#applied?.has(rule)));
  }

  /** Resolves when they are no more. */
  async unpublish(taskId: string): Promise<void> {
    const rules = [...(this.#wanted.get(taskId)?.keys() ?? [])];
    this.#wanted.delete(taskId);
    const isSuperseded = () => this.#wanted.has(taskId);
    await this.#settle(() => isSuperseded() || rules.every((rule) => this.#applied?.has(rule) === false));
  }

  /** What is wanted from the start, before anything is applied. */
  adopt(taskId: string, publications: readonly Publication[]): void {
    this.#wanted.set(taskId, byRule(publications));
  }

  /** Where the agent answers what tasks ask at the task metadata endpoint. Rules lead there from the next `ready` on. */
  leadMetadataTo(metadata: FirewallShape['metadata']): void {
    this.#shape = { ...this.#options.shape, ...(metadata === undefined ? {} : { metadata }) };
    this.#applied = undefined;
  }

  /** Resolves when all chains are in the kernel. Throws ToolError, and tries again the next time. */
  async ready(): Promise<void> {
    await this.#settle(() => this.#applied !== undefined);
  }

  /**
   * Looks whether somebody took rules of ours away (a firewall was reloaded), and makes all anew then. Answers whether it had to. Throws
   * ToolError. Does nothing before the chains were first made.
   */
  async repair(): Promise<boolean> {
    if (this.#backends.size === 0) return false;
    const before = this.#applied;
    this.#isToBeChecked = true;
    await this.#settle(() => !this.#isToBeChecked);
    return this.#applied !== before;
  }

  /** True once the rules that keep tasks in host mode from instance metadata are in the kernel, of both versions of IP. */
  get keepsHostMode(): boolean {
    return this.#keepsHostMode;
  }

  /** Makes all chains anew, with what is wanted. */
  async #rewrite(): Promise<void> {
    const published = this.#allWanted();
    const rules = [...published.keys()];
    this.#applied = undefined;
    const shape = this.#shape;
    this.#keepsHostMode = shape.hostModeMatch.kind !== 'impossible' && (await this.#canApply(rules, shape));
    const match: HostModeMatch = this.#keepsHostMode ? shape.hostModeMatch : { kind: 'impossible' };
    const applied = { ...shape, hostModeMatch: match };
    if (!this.#keepsHostMode) {
      // Not for the want of a module of the kernel, or of ip6tables, are tasks in bridge mode to be without their network.
      await this.#apply(applied, 'IPv4', rules);
      await this.#apply(applied, 'IPv6', []).catch(ignoreToolError);
    }
    this.#applied = published;
    this.#checked = (await this.#isIntact(applied)) ? applied : undefined;
    await this.#forgetStaleFlows(published.values());
  }

  async #canApply(rules: readonly string[], shape: FirewallShape): Promise<boolean> {
    try {
      await this.#apply(shape, 'IPv4', rules);
      await this.#apply(shape, 'IPv6', []);
      return true;
    } catch (error) {
      ignoreToolError(error);
      return false;
    }
  }

  async #apply(shape: FirewallShape, family: Family, rules: readonly string[]): Promise<void> {
    if (family === 'IPv6' && !existsSync('/proc/sys/net/ipv6')) return;
    const backends = (this.#options.backends ?? allBackends)[family];
    this.#backends.delete(family);
    const change = (saved: string) => fullRestore(shape, family, rules, saved);
    const backend = await applyByFirstWorking(backends, this.#options.netns, change);
    this.#backends.set(family, backend);
    if (!this.#isAlone.has(family)) await this.#removeElsewhere(family, backend);
  }

  /** Once in an agent's life: the machine may have been told to use another iptables since the last. */
  async #removeElsewhere(family: Family, backend: FirewallBackend): Promise<void> {
    this.#isAlone.add(family);
    const others = await otherBackends(backend, allBackends[family]);
    await applyByEach(others, this.#options.netns, (saved) => removalRestore(this.#shape.chainPrefix, saved));
  }

  async #isIntact(shape: FirewallShape): Promise<boolean> {
    const { netns } = this.#options;
    try {
      for (const [family, backend] of this.#backends) await restoreTables(backend, checkRestore(shape, family), netns);
      const backend = this.#backends.get('IPv4');
      // Counted, since looking for each of hundreds takes nf_tables a tenth of a second.
      const published =
        backend === undefined ? 0 : publishedIn(shape.chainPrefix, await savedTable(backend, 'nat', netns));
      return published === this.#applied?.size;
    } catch (error) {
      ignoreToolError(error);
      return false;
    }
  }

  /** Waits for rounds of changes until it is so. */
  async #settle(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      // One round is under way at most; all who come meanwhile share the next one.
      this.#nextRound ??= this.#running
        .catch(() => {}) // Whoever waited for that round has been told.
        .then(() => {
          this.#nextRound = undefined;
          this.#running = this.#round();
          return this.#running;
        });
      await this.#nextRound;
    }
  }

  async #round(): Promise<void> {
    const applied = this.#applied;
    const backend = this.#backends.get('IPv4');
    const isToBeChecked = this.#isToBeChecked;
    this.#isToBeChecked = false;
    if (applied === undefined || backend === undefined) return await this.#rewrite();
    if (isToBeChecked && this.#checked !== undefined && !(await this.#isIntact(this.#checked)))
      return await this.#rewrite();
    const { operation, changed } = this.#nextChange(applied);
    if (changed.size === 0) return;
    const { chainPrefix } = this.#shape;
    try {
      const input = changeRestore(chainPrefix, operation, [...changed.keys()], this.#checked);
      await restoreTables(backend, input, this.#options.netns);
    } catch (error) {
      ignoreToolError(error); // Someone else changed our chains: they are made anew.
      return await this.#rewrite();
    }
    for (const [rule, publication] of changed) {
      if (operation === 'add') applied.set(rule, publication);
      else applied.delete(rule);
    }
    await this.#forgetStaleFlows(changed.values());
  }

  #nextChange(applied: Published): { operation: 'add' | 'delete'; changed: Published } {
    const wanted = this.#allWanted();
    const added = new Map([...wanted].filter(([rule]) => !applied.has(rule)));
    if (added.size > 0) return { operation: 'add', changed: added };
    return { operation: 'delete', changed: new Map([...applied].filter(([rule]) => !wanted.has(rule))) };
  }

  #allWanted(): Published {
    return new Map([...this.#wanted.values()].flatMap((rules) => [...rules]));
  }

  async #forgetStaleFlows(changed: Iterable<Publication>): Promise<void> {
    const { netns, localAddresses } = this.#options;
    const published = [...(this.#applied?.values() ?? [])];
    await forgetStaleFlows({ changed: [...changed], published, localAddresses, netns });
  }
}

const byRule = (publications: readonly Publication[]): Published =>
  new Map(publications.map((publication) => [publishRule(publication), publication]));

function ignoreToolError(error: unknown): void {
  if (!(error instanceof ToolError)) throw error;
}

/** Takes every chain of ours away, from whichever backend has them. Fine if there is none. */
export async function removeFirewall(chainPrefix: string, netns: string | undefined): Promise<void> {
  for (const backends of [ipv4Backends, ipv6Backends])
    await applyByEach(backends, netns, (saved) => removalRestore(chainPrefix, saved));
}
