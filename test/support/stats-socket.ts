/** A host's channel that answers one question, what its containers use, with what a test says. */
import type { HostSocket } from '../../control/hosts/channel-hub.ts';
import type { AgentFrame } from '../../core/host-protocol.ts';
import type { HostContainerStats } from '../../core/model/container-stats.ts';

export class StatsSocket implements HostSocket {
  /** How often it was asked. */
  asked = 0;
  readonly #containers: () => readonly HostContainerStats[];
  #message: (text: string) => void = () => {};

  constructor(containers: () => readonly HostContainerStats[]) {
    this.#containers = containers;
  }

  send(text: string): void {
    const { stream } = JSON.parse(text);
    this.asked += 1;
    const frames: AgentFrame[] = [
      { kind: 'stats', stream, containers: [...this.#containers()] },
      { kind: 'end', stream },
    ];
    for (const frame of frames) this.#message(JSON.stringify(frame));
  }
  onMessage(listener: (text: string) => void): void {
    this.#message = listener;
  }
  onClose(): void {}
  close(): void {}
  pause(): void {}
  resume(): void {}
}
