/** Task definitions that the end-to-end tests run, out of a busybox image. */
import type { RegisterTaskDefinitionCommandInput } from '@aws-sdk/client-ecs';

const readFirst = (...files: string[]): string => `$(cat ${files.join(' ')} 2>/dev/null)`;

/** Serves the limits that it sees on its port until it is told to stop, and ends with 0 then. */
export const webTask = (image: string) =>
  ({
    family: 'web',
    networkMode: 'bridge',
    cpu: '256',
    memory: '64',
    containerDefinitions: [
      {
        name: 'web',
        image,
        cpu: 256,
        memory: 64,
        essential: true,
        portMappings: [{ containerPort: 8000, hostPort: 0, protocol: 'tcp' }],
        command: [
          'sh',
          '-c',
          [
            'mkdir -p /tmp/www',
            // Control groups of version 2, then of version 1.
            `echo "memory ${readFirst('/sys/fs/cgroup/memory.max', '/sys/fs/cgroup/memory/memory.limit_in_bytes')}" >/tmp/www/limits`,
            `echo "cpu ${readFirst('/sys/fs/cgroup/cpu.max', '/sys/fs/cgroup/cpu/cpu.cfs_quota_us')}" >>/tmp/www/limits`,
            'trap "exit 0" TERM',
            'httpd -p 8000 -h /tmp/www',
            'while :; do sleep 1 & wait $!; done',
          ].join('; '),
        ],
      },
    ],
  }) satisfies RegisterTaskDefinitionCommandInput;

/** What `webTask` sees: 64 MiB, and a quarter of a CPU as microseconds in each period of 100 ms. */
export const webLimits = /^memory 67108864\ncpu 25000( 100000)?\n$/;

/** Ends by itself with a given code. */
export const exitTask = (image: string, code: number) =>
  ({
    family: `exit-${code}`,
    networkMode: 'none',
    containerDefinitions: [
      {
        name: 'main',
        image,
        memory: 32,
        essential: true,
        command: ['sh', '-c', `echo leaving with ${code}; exit ${code}`],
      },
    ],
  }) satisfies RegisterTaskDefinitionCommandInput;
