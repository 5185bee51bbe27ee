/** The one-machine cloud as the command line sees it, writing down what is asked of it. Brings nothing up. */
import type { Finding, LocalCloud, UpEvents } from '../../../cli/context.ts';

type Options = Readonly<Record<string, unknown>>;

export class FakeLocal implements LocalCloud {
  /** What was asked, in order, with the options. */
  readonly calls: (readonly [what: string, options: Options])[] = [];
  findings: Finding[] = [];
  dataThere = false;
  /** Thrown by upDetached. */
  upFails: Error | undefined;
  imageFails: Error | undefined;
  /** Called while `up` and `upDetached` bring it up. */
  whileUp: () => void = () => {};

  async up(options: Options, events: UpEvents, signal: AbortSignal): Promise<void> {
    this.calls.push(['up', options]);
    events.say('control plane started');
    this.whileUp();
    await events.ready();
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
  }

  async join(
    wanted: Parameters<LocalCloud['join']>[0],
    { say, ready }: Parameters<LocalCloud['join']>[1],
  ): Promise<void> {
    this.calls.push(['join', wanted]);
    say('installing the agent');
    const host = { hostId: '5f0c', name: 'rack3-7', cluster: 'default', status: 'ACTIVE', connected: true } as const;
    ready({ ...host, agentVersion: '0.1.0', version: 2, tasks: 0 });
  }

  async leave(wanted: Parameters<LocalCloud['leave']>[0], say: (line: string) => void): Promise<void> {
    this.calls.push(['leave', wanted]);
    say('the host has left');
  }

  async upDetached(options: Options, events: UpEvents): Promise<void> {
    this.calls.push(['upDetached', options]);
    if (this.upFails !== undefined) throw this.upFails;
    events.say('control plane started');
    this.whileUp();
    await events.ready();
  }

  hasData(): boolean {
    return this.dataThere;
  }

  async down(options: Options, say: (line: string) => void): Promise<void> {
    this.calls.push(['down', options]);
    say('stopped everything');
  }

  async examine(options: Options): Promise<readonly Finding[]> {
    this.calls.push(['examine', options]);
    return this.findings;
  }

  async restored(options: Options): Promise<{ epoch: string; before: string; hosts: number }> {
    this.calls.push(['restored', options]);
    return { epoch: 'new', before: 'old', hosts: 2 };
  }

  async copyStore(
    options: Options,
    progress: Parameters<LocalCloud['copyStore']>[1],
  ): Promise<Awaited<ReturnType<LocalCloud['copyStore']>>> {
    this.calls.push(['copyStore', options]);
    for (const phase of ['copying', 'comparing']) progress({ phase, items: 1234 });
    const secrets = 'Access keys open with the file data-key alone.';
    return { from: 'sqlite:/d/gantry.db', to: 'dynamodb:gantry', items: 1234, hosts: 2, secrets };
  }

  async helloImage(wanted: string, options: Options): Promise<AsyncDisposable & { readonly reference: string }> {
    this.calls.push(['helloImage', { wanted, ...options }]);
    if (this.imageFails !== undefined) throw this.imageFails;
    const dispose = async (): Promise<void> => void this.calls.push(['dispose image', {}]);
    return { reference: '127.0.0.1:5000/hello:offline', [Symbol.asyncDispose]: dispose };
  }
}
