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

  async helloImage(wanted: string, options: Options): Promise<AsyncDisposable & { readonly reference: string }> {
    this.calls.push(['helloImage', { wanted, ...options }]);
    if (this.imageFails !== undefined) throw this.imageFails;
    const dispose = async (): Promise<void> => void this.calls.push(['dispose image', {}]);
    return { reference: '127.0.0.1:5000/hello:offline', [Symbol.asyncDispose]: dispose };
  }
}
