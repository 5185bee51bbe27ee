/** What the bench compares: ways to start the same container. Each owns all that it makes on the machine, and takes it away. */

/** One container that was started. */
export interface StartedContainer {
  /** When the first request was answered, where that is another moment than `runningAt` (performance.now). */
  readonly acceptedAt?: number;
  /** When the API said that it runs. */
  readonly runningAt: number;
  /** What containerd was told of it, without the names that must differ; for those who claim to run the very same container. */
  specification?(): Promise<string>;
  /** Asks it to end (SIGTERM) and waits until it has; for those whose stop is measured. */
  stop?(): Promise<void>;
  /** Waits until it has ended, and until nothing of it is left on the machine. */
  remove(): Promise<void>;
}

export interface Contender extends AsyncDisposable {
  readonly name: string;
  /** A sentence for the report: what is measured. */
  readonly means: string;
  /** This machine's address as its containers see it. */
  readonly callbackAddress: string;
  /** Starts a container with this command; resolves when its API says that it runs. */
  start(command: readonly string[]): Promise<StartedContainer>;
}

/** Of a command `/bin/nc ADDRESS PORT`: what differs between contenders, for comparable specifications. */
export const commandNames = ([, address = '', port = '']: readonly string[]): Readonly<Record<string, string>> => ({
  [address]: 'ADDRESS',
  [port]: 'PORT',
});
