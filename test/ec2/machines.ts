/** What runs for an instance, where a test wants something to: begun when the instance is running, ended when it shuts down. */
import type { RequestLaunchTemplateData } from '@aws-sdk/client-ec2';
import type { Ec2Instance } from './instances.ts';

/** What a machine finds when it boots. */
export interface StartedInstance {
  readonly instanceId: string;
  readonly instanceType: string;
  readonly zone: string;
  readonly subnetId: string;
  readonly architecture: 'x86_64' | 'arm64';
  readonly lifecycle: 'spot' | 'on-demand';
  readonly imageId: string;
  /** Decoded, as the metadata service shows it; empty where there is none. */
  readonly userData: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly privateIp: string;
  /** Template and request in one. */
  readonly launchTemplateData: RequestLaunchTemplateData;
}

export type StartInstance = (instance: StartedInstance) => AsyncDisposable | Promise<AsyncDisposable>;

export class Machines {
  readonly #start: StartInstance | undefined;
  readonly #failed: () => void;
  readonly #machines = new Map<string, Promise<AsyncDisposable | undefined>>();
  /** Ends that are on their way. */
  readonly #ending = new Set<Promise<void>>();
  readonly #failures: unknown[] = [];

  /** @param failed is told after an instance was ended because nothing runs on it */
  constructor(start: StartInstance | undefined, failed: () => void) {
    this.#start = start;
    this.#failed = failed;
  }

  start(instance: Ec2Instance, end: (reason: string) => void): void {
    const start = this.#start;
    if (start === undefined) return;
    const started = Promise.resolve()
      .then(() => start(describe(instance)))
      .catch((error: unknown) => {
        this.#failures.push(error);
        end(`Server.InternalError: ${error instanceof Error ? error.message : String(error)}`);
        this.#failed();
        return undefined;
      });
    this.#machines.set(instance.instanceId, started);
  }

  /** Returns at once: it is ended when it has been started. */
  stop(instanceId: string): void {
    const machine = this.#machines.get(instanceId);
    if (machine === undefined) return;
    this.#machines.delete(instanceId);
    const end = async (): Promise<void> => {
      const started = await machine;
      await started?.[Symbol.asyncDispose]();
    };
    this.#ending.add(end().catch((error: unknown) => void this.#failures.push(error)));
  }

  /** Until all that was begun has started or ended; rejects with what failed. */
  async settle(): Promise<void> {
    await Promise.all(this.#machines.values());
    const ending = [...this.#ending];
    this.#ending.clear();
    await Promise.all(ending);
    const failures = this.#failures.splice(0);
    if (failures.length === 1) throw failures[0];
    if (failures.length > 1) throw new AggregateError(failures, 'machines failed');
  }

  async stopAll(): Promise<void> {
    for (const instanceId of this.#machines.keys()) this.stop(instanceId);
    await this.settle();
  }
}

const describe = ({ data, type, ...instance }: Ec2Instance): StartedInstance => ({
  instanceId: instance.instanceId,
  instanceType: type.name,
  zone: instance.zone,
  subnetId: instance.subnetId,
  architecture: type.architecture,
  lifecycle: instance.lifecycle,
  imageId: data.ImageId ?? '',
  userData: Buffer.from(data.UserData ?? '', 'base64').toString(),
  tags: { ...instance.tags },
  privateIp: instance.privateIp,
  launchTemplateData: data,
});
