/** EventBridge's events of EC2 instances, in the shape that AWS documents for each. */
import { randomUUID } from 'node:crypto';

export interface Ec2Event {
  readonly version: '0';
  readonly id: string;
  readonly 'detail-type': string;
  readonly source: 'aws.ec2';
  readonly account: string;
  /** To the second, as EventBridge has it. */
  readonly time: string;
  readonly region: string;
  readonly resources: readonly string[];
  readonly detail: Readonly<Record<string, string>>;
}

export type Ec2EventListener = (event: Ec2Event) => void | Promise<void>;

interface Origin {
  readonly instanceId: string;
  readonly zone: string;
}

export class Events {
  readonly #region: string;
  readonly #account: string;
  readonly #listeners = new Set<Ec2EventListener>();
  /** What listeners have begun, and whether it failed. */
  readonly #running = new Set<Promise<void>>();

  constructor({ region, account }: { readonly region: string; readonly account: string }) {
    this.#region = region;
    this.#account = account;
  }

  onEvent(listener: Ec2EventListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  stateChange({ instanceId }: Origin, state: string, at: number): void {
    this.#send(
      'EC2 Instance State-change Notification',
      this.#arn(instanceId),
      { 'instance-id': instanceId, state },
      at,
    );
  }

  /** Its resource is named by the zone: no other event is like that, but AWS documents this one so. */
  interruption({ instanceId, zone }: Origin, at: number): void {
    const detail = { 'instance-id': instanceId, 'instance-action': 'terminate' };
    this.#send('EC2 Spot Instance Interruption Warning', `arn:aws:ec2:${zone}:instance/${instanceId}`, detail, at);
  }

  rebalance({ instanceId }: Origin, at: number): void {
    const detail = { 'instance-id': instanceId };
    this.#send('EC2 Instance Rebalance Recommendation', this.#arn(instanceId), detail, at);
  }

  get isBusy(): boolean {
    return this.#running.size > 0;
  }

  /** Until all that listeners have begun is done; rejects with what failed. */
  async settle(): Promise<void> {
    const running = [...this.#running];
    this.#running.clear();
    await Promise.all(running);
  }

  #arn(instanceId: string): string {
    return `arn:aws:ec2:${this.#region}:${this.#account}:instance/${instanceId}`;
  }

  #send(type: string, resource: string, detail: Ec2Event['detail'], at: number): void {
    const event: Ec2Event = {
      version: '0',
      id: randomUUID(),
      'detail-type': type,
      source: 'aws.ec2',
      account: this.#account,
      time: new Date(at).toISOString().replace(/\.\d+Z$/, 'Z'),
      region: this.#region,
      resources: [resource],
      detail,
    };
    for (const listener of this.#listeners) {
      const heard = Promise.resolve().then(() => listener(event));
      heard.catch(() => undefined); // It is told by settle.
      this.#running.add(heard);
    }
  }
}
