/**
 * `ctr run -d`, containerd's own command line, on the same containerd with the same image and limits. It has no published ports and no
 * bridge, so its containers are in the machine's network: what it saves by that is not in its figures.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from '../../agent/containerd/client.ts';
import { removeRecord } from '../../agent/containerd/runtime-containers.ts';
import { deleteProcess } from '../../agent/containerd/runtime-processes.ts';
import { ImagePuller } from '../../agent/images/puller.ts';
import { mib } from '../../agent/oci/resources.ts';
import { findExecutable } from '../../local/containerd.ts';
import type { Contender } from './contender.ts';
import { limits } from './definition.ts';
import { flags, runProgram } from './program.ts';

export interface CtrOptions {
  readonly socket: string;
  readonly namespace: string;
  readonly cgroupParent: string;
  /** For logs and runc's state; whoever made it removes it. */
  readonly directory: string;
  readonly image: string;
}

export async function ctrContender(options: CtrOptions): Promise<Contender> {
  const { socket, namespace, cgroupParent, directory } = options;
  const ctr = findExecutable('ctr');
  if (ctr === undefined) throw new Error('ctr was not found; it comes with containerd.');
  mkdirSync(directory, { recursive: true });
  const daemon = connect(socket);
  const containerd = daemon.withNamespace(namespace);
  const image = await new ImagePuller({ containerd }).pull(options.image, { signal: AbortSignal.timeout(60_000) });
  let started = 0;
  const argumentsOf = (id: string, command: readonly string[]): string[] => {
    const limited = {
      cpus: limits.cpuUnits / 1024,
      'cpu-shares': limits.cpuUnits,
      'memory-limit': limits.memoryMib * mib,
      cgroup: join(cgroupParent, id),
    };
    const files = { 'runc-root': join(directory, 'runc'), 'log-uri': `file://${join(directory, `${id}.log`)}` };
    const options = flags({ detach: true, 'net-host': true, seccomp: true, ...limited, ...files });
    return [...flags({ address: socket, namespace }), 'run', ...options, image.name, id, ...command];
  };
  return {
    name: 'ctr',
    means: '`ctr run -d` in the machine’s network, without a port; running: the command has ended',
    callbackAddress: '127.0.0.1',
    async start(command) {
      started += 1;
      const id = `bench-${started}`;
      await runProgram(ctr, argumentsOf(id, command));
      return {
        runningAt: performance.now(),
        async remove() {
          await deleteProcess(containerd, id);
          await removeRecord(containerd, id);
        },
      };
    },
    [Symbol.asyncDispose]: async () => daemon.close(),
  };
}
