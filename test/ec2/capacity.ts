/** How many more instances there are of a type in a zone, and how many vCPUs the account may have. Unlimited until a test says so. */
import type { Catalog, InstanceTypeFacts } from './instance-types.ts';

export type Lifecycle = 'spot' | 'on-demand';

/** A number holds for spot and for on demand, each by itself. */
export type VcpuLimit = number | { readonly spot?: number; readonly onDemand?: number };

export class Capacity {
  readonly #catalog: Catalog;
  readonly #vcpuLimit: VcpuLimit | undefined;
  readonly #left = new Map<string, number>();

  constructor(catalog: Catalog, vcpuLimit: VcpuLimit | undefined) {
    this.#catalog = catalog;
    this.#vcpuLimit = vcpuLimit;
  }

  /** What is ended does not come back into it: the test says when there is more. */
  exhaust(type: string, zone: string, left: number): void {
    if (!Number.isInteger(left) || left < 0) throw new Error(`left: ${left} is no number of instances`);
    this.#left.set(this.#key(type, zone), left);
  }

  refill(type: string, zone: string): void {
    this.#left.delete(this.#key(type, zone));
  }

  left(type: string, zone: string): number {
    return this.#left.get(this.#key(type, zone)) ?? Number.POSITIVE_INFINITY;
  }

  take(type: string, zone: string): void {
    const left = this.left(type, zone);
    if (left < 1) throw new Error(`took more ${type} in ${zone} than there were`);
    if (Number.isFinite(left)) this.exhaust(type, zone, left - 1);
  }

  vcpuLimit(lifecycle: Lifecycle): number {
    const limit = this.#vcpuLimit;
    const stated = typeof limit === 'object' ? (lifecycle === 'spot' ? limit.spot : limit.onDemand) : limit;
    return stated ?? Number.POSITIVE_INFINITY;
  }

  /** Where else the type is to be had. */
  otherZones(type: InstanceTypeFacts, than: string): readonly string[] {
    return this.#catalog.zonesOf(type).filter((zone) => zone !== than && this.left(type.name, zone) > 0);
  }

  #key(type: string, zone: string): string {
    if (this.#catalog.find(type) === undefined) throw new Error(`type: there is no ${type} here`);
    if (!this.#catalog.zones.includes(zone)) throw new Error(`zone: there is no ${zone} here`);
    return `${type} ${zone}`;
  }
}
