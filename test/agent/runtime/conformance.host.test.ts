/** The runtime of a real host keeps every promise that the loops are tested with against the fake one. */
import { afterAll, beforeAll } from 'vitest';
import { describeWithContainers } from '../../support/containers.ts';
import { describeRuntime, type RuntimeUnderTest } from '../runtime-conformance.ts';
import { type RealMachine, startRealMachine } from './real-host.ts';

const shell = (script: string) => ['sh', '-c', script];

describeWithContainers('a real host', () => {
  let machine: RealMachine;
  beforeAll(async () => {
    machine = await startRealMachine();
  });
  afterAll(async () => {
    await machine[Symbol.asyncDispose]();
  });

  describeRuntime('containerd', async (): Promise<RuntimeUnderTest> => {
    const host = await machine.host();
    return {
      runtime: host.runtime,
      reopen: () => host.reopen(),
      image: machine.image,
      missingImage: machine.missingImage,
      commands: {
        exits: (code) => shell(`exit ${code}`),
        runsUntilStopped: shell('trap "exit 143" TERM; echo ready; while :; do sleep 0.1; done'),
        ignoresStop: shell('trap "" TERM; echo ready; while :; do sleep 0.1; done'),
        prints: (lines) => shell(lines.map((line) => `echo "${line}"`).join('; ')),
        exhaustsMemory: ['dd', 'if=/dev/zero', 'of=/dev/null', 'bs=256M', 'count=1'],
        cannotStart: ['no-such-program'],
      },
      [Symbol.asyncDispose]: () => host[Symbol.asyncDispose](),
    };
  });
});
