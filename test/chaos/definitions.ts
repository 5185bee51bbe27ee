/** The task definitions of a run of chaos, one a kind: each says to the witness that it began and that it ends. */
import type { RegisterTaskDefinitionCommandInput } from '@aws-sdk/client-ecs';
import { type Kind, kinds } from './script.ts';

/** Lines that a task of the kind `writes` writes, numbered from 1. */
export const linesWritten = 400;

const scripts: Readonly<Record<Kind, string>> = {
  ends: 'say began && sleep $SECONDS && say ended && exit $CODE',
  stopped: 'trap "say ended; exit $CODE" TERM; say began; while :; do sleep 0.1 & wait $!; done',
  publishes: 'httpd -p 8000; say began && sleep $SECONDS && say ended && exit $CODE',
  waits: 'say began && sleep $SECONDS && say ended && exit $CODE',
  writes: [
    'say began; n=0',
    `while [ $n -lt ${linesWritten} ]; do n=$((n+1)); echo "line $n"; [ $((n % 50)) = 0 ] && sleep 0.1; done`,
    'say ended; exit $CODE',
  ].join('; '),
};

const firstMib = 16;

export const familyOf = (kind: Kind): string => `chaos-${kind}`;

/** @param memoryMib of a whole task, whatever its kind */
export function definitionsOf(image: string, witness: string, memoryMib: number): RegisterTaskDefinitionCommandInput[] {
  const command = (script: string) => ['sh', '-c', `say() { wget -q -O /dev/null ${witness}/$1/$NAME; }; ${script}`];
  return kinds.map((kind) => ({
    family: familyOf(kind),
    networkMode: 'bridge',
    containerDefinitions: [
      {
        name: 'main',
        image,
        memory: kind === 'waits' ? memoryMib - firstMib : memoryMib,
        command: command(scripts[kind]),
        ...(kind === 'publishes' && { portMappings: [{ containerPort: 8000, hostPort: 0, protocol: 'tcp' }] }),
        ...(kind === 'waits' && { dependsOn: [{ containerName: 'first', condition: 'SUCCESS' }] }),
      },
      ...(kind === 'waits'
        ? [{ name: 'first', image, memory: firstMib, essential: false, command: command('say first') }]
        : []),
    ],
  }));
}
