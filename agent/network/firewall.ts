/**
 * The published ports of a host, kept in the kernel as they are wanted. Changes that come while one is under way are made together.
 * Adding is quick and stands in a task's way to its start; deleting waits for the kernel (about 15 ms with nf_tables), so it comes
 * after whatever is to be added.
 */
import { existsSync } from 'node:fs';
import {
  applyByEach,
  applyByFirstWorking,
  type FirewallBackend,
  ipv4Backends,
  ipv6Backends,
  restoreTables,
} from './firewall-backend.ts';
import {
  changeRestore,
  type FirewallShape,
  fullRestore,
  fullRestoreIPv6,
  type HostModeMatch,
  removalRestore,
} from './firewall-rules.ts';
import { ToolError } from './tool.ts';

export class Firewall {
  readonly #shape: FirewallShape;
  readonly #netns: string | undefined;
  /** What is wanted, by task. */
  readonly #wanted = new Map<string, readonly string[]>();
  /** What the kernel has; undefined while that is not known. */
  #applied: Set<string> | undefined;
  #backend: FirewallBackend | undefined;
  #keepsHostMode = false;
  /** Settles when the change under way is made. */
  #running: Promise<void> = Promise.resolve();
  #nextRound: Promise<void> | undefined;

  constructor(shape: FirewallShape, netns: string | undefined) {
    this.#shape = shape;
    this.#netns = netns;
  }

  /** Resolves when the rules are in the kernel. Throws ToolError. */
  async publish(taskId: string, rules: readonly string[]): Promise<void> {
    this.#wanted.set(taskId, rules);
    const isSuperseded = () => this.#wanted.get(taskId) !== rules;
    await this.#settle(() => isSuperseded() || rules.every((rule) => this.#applied?.has(rule)));
  }

  /** Resolves when they are no more. */
  async unpublish(taskId: string): Promise<void> {
    const rules = this.#wanted.get(taskId) ?? [];
    this.#wanted.delete(taskId);
    const isSuperseded = () => this.#wanted.has(taskId);
    await this.#settle(() => isSuperseded() || rules.every((rule) => this.#applied?.has(rule) === false));
  }

  /** What is wanted from the start, before anything is applied. */
  adopt(taskId: string, rules: readonly string[]): void {
    this.#wanted.set(taskId, rules);
  }

  /** Resolves when all chains are in the kernel. Throws ToolError, and tries again the next time. */
  async ready(): Promise<void> {
    await this.#settle(() => this.#applied !== undefined);
  }

  /** True once the rules that keep tasks in host mode from instance metadata are in the kernel, of both versions of IP. */
  get keepsHostMode(): boolean {
    return this.#keepsHostMode;
  }

  /** Makes all chains anew, with what is wanted. */
  async #rewrite(): Promise<void> {
    const rules = [...this.#wanted.values()].flat();
    this.#applied = undefined;
    const { hostModeMatch } = this.#shape;
    this.#keepsHostMode = hostModeMatch.kind !== 'impossible' && (await this.#canApply(rules, hostModeMatch));
    if (!this.#keepsHostMode) {
      // Not for the want of a module of the kernel, or of ip6tables, are tasks in bridge mode to be without their network.
      this.#backend = await this.#apply(rules, { kind: 'impossible' });
      await this.#applyIPv6({ kind: 'impossible' }).catch(ignoreToolError);
    }
    this.#applied = new Set(rules);
  }

  async #canApply(rules: readonly string[], match: HostModeMatch): Promise<boolean> {
    try {
      this.#backend = await this.#apply(rules, match);
      await this.#applyIPv6(match);
      return true;
    } catch (error) {
      ignoreToolError(error);
      return false;
    }
  }

  #apply(rules: readonly string[], hostModeMatch: HostModeMatch): Promise<FirewallBackend> {
    const shape = { ...this.#shape, hostModeMatch };
    return applyByFirstWorking(ipv4Backends, this.#netns, (saved) => fullRestore(shape, rules, saved));
  }

  async #applyIPv6(hostModeMatch: HostModeMatch): Promise<void> {
    if (!existsSync('/proc/sys/net/ipv6')) return;
    const shape = { ...this.#shape, hostModeMatch };
    await applyByFirstWorking(ipv6Backends, this.#netns, (saved) => fullRestoreIPv6(shape, saved));
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
    const wanted = new Set([...this.#wanted.values()].flat());
    const applied = this.#applied;
    const backend = this.#backend;
    if (applied === undefined || backend === undefined) return await this.#rewrite();
    const added = [...wanted].filter((rule) => !applied.has(rule));
    const deleted = [...applied].filter((rule) => !wanted.has(rule));
    const [operation, rules] = added.length > 0 ? (['add', added] as const) : (['delete', deleted] as const);
    if (rules.length === 0) return;
    try {
      await restoreTables(backend, changeRestore(this.#shape.chainPrefix, operation, rules), this.#netns);
    } catch (error) {
      if (!(error instanceof ToolError)) throw error;
      // Someone else changed our chains (a firewall was reloaded): they are made anew.
      return await this.#rewrite();
    }
    for (const rule of rules) {
      if (operation === 'add') applied.add(rule);
      else applied.delete(rule);
    }
  }
}

function ignoreToolError(error: unknown): void {
  if (!(error instanceof ToolError)) throw error;
}

/** Takes every chain of ours away, from whichever backend has them. Fine if there is none. */
export async function removeFirewall(chainPrefix: string, netns: string | undefined): Promise<void> {
  for (const backends of [ipv4Backends, ipv6Backends])
    await applyByEach(backends, netns, (saved) => removalRestore(chainPrefix, saved));
}
