/**
 * Normalising is settled after one round: what the API answered may be registered again by anyone (client-expectations.md 13, 15), and
 * gives the same revision, whatever the request was that made it.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { taskDefinitionView } from '../../../control/operations/views/task-definition-view.ts';
import { register, revision } from './requests.ts';

const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const text = fc.string({ maxLength: 12 }).map((value) => value.replaceAll('\0', ''));
const name = fc.stringMatching(/^[a-zA-Z0-9_-]{1,12}$/);
const nothing = fc.constantFrom([], false, {}, '');
const seconds = fc.integer({ min: 0, max: 86_400 });

const container = fc.record(
  {
    image: fc.constantFrom('busybox', 'registry:5000/a/b:c', `a@sha256:${'0'.repeat(64)}`),
    cpu: fc.nat(64),
    memory: fc.integer({ min: 100, max: 200 }),
    memoryReservation: fc.integer({ min: 6, max: 99 }),
    essential: fc.boolean(),
    entryPoint: fc.array(text, { maxLength: 3 }),
    command: fc.array(text, { maxLength: 3 }),
    environment: fc.array(fc.record({ name: name, value: text }), { maxLength: 3 }),
    ulimits: fc.constantFrom([], [{ name: 'nofile', softLimit: 1024, hardLimit: -1 }]),
    user: fc.constantFrom('', '1000', 'app:app'),
    workingDirectory: text,
    readonlyRootFilesystem: fc.boolean(),
    hostname: fc.constantFrom('', 'web-1'),
    dockerLabels: fc.dictionary(name, text, { maxKeys: 3 }),
    startTimeout: seconds,
    stopTimeout: seconds,
    logConfiguration: fc.constantFrom({ logDriver: 'json-file' }, { logDriver: 'json-file', options: {} }),
    privileged: nothing,
    linuxParameters: nothing,
    mountPoints: nothing,
    versionConsistency: fc.constantFrom('enabled', 'disabled'),
  },
  { requiredKeys: ['image', 'memory'] },
);
const protocol = optional(fc.constantFrom('tcp', 'udp'));

const mappings = (index: number, of: string | undefined, networkMode: string | undefined) => [
  { containerPort: 80 + index, protocol: of },
  ...(networkMode === 'host' ? [] : [{ containerPortRange: '8000-8010', protocol: of }]),
];

const request = fc
  .record({
    family: name,
    networkMode: optional(fc.constantFrom('none', 'bridge', 'host')),
    cpu: optional(fc.constantFrom('1024', '1 vCPU', ' .5vCPU ')),
    memory: optional(fc.constantFrom('2048', '2GB', '1.5 GB')),
    requiresCompatibilities: fc.constantFrom(undefined, [], ['EC2'], ['EXTERNAL', 'FARGATE']),
    runtimePlatform: fc.constantFrom(undefined, {}, { cpuArchitecture: 'ARM64' }, { operatingSystemFamily: 'LINUX' }),
    taskRoleArn: fc.constantFrom(undefined, '', 'arn:aws:iam::000000000000:role/app'),
    tags: optional(fc.uniqueArray(fc.record({ key: name, value: name }), { selector: ({ key }) => key, maxLength: 3 })),
    containers: fc.array(container, { minLength: 1, maxLength: 4 }),
    protocol,
    ports: fc.boolean(),
    dependent: fc.boolean(),
  })
  .map(({ containers, ports, protocol: of, dependent, ...task }) => ({
    ...task,
    containerDefinitions: containers.map((each, index) => ({
      ...each,
      name: `c${index}`,
      essential: index === 0 ? true : each.essential,
      ...(ports && task.networkMode !== 'none' && { portMappings: mappings(index, of, task.networkMode) }),
      ...(dependent && index > 0 && { dependsOn: [{ containerName: 'c0', condition: 'START' }] }),
    })),
  }));

it('what was answered registers as the same revision', () => {
  const realm = { region: 'us-east-1', accountId: '000000000000' };
  fc.assert(
    fc.property(request, (given) => {
      const first = register(given);
      const view = taskDefinitionView(realm, revision(given), { status: 'ACTIVE' });
      // As a client has it: through JSON, its tags beside it.
      const again = register(JSON.parse(JSON.stringify({ ...view, tags: first.tags })));
      expect(again.definition).toEqual(first.definition);
      expect(again.tags).toEqual(first.tags);
    }),
    { numRuns: 300 },
  );
});
