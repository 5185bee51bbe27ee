/** The JSON of the task metadata endpoint, member by member, of tasks in every state. */
import { describe, expect, it } from 'vitest';
import { containerDocument, type Place, taskDocument } from '../../../agent/metadata/documents.ts';
import { statsDocument } from '../../../agent/metadata/stats-document.ts';
import { MetadataIds } from '../../../agent/network/metadata-ids.ts';
import { awslogsLog } from '../../../core/model/log-target.ts';
import type { LedgerContainer, LedgerTask } from '../../../core/plan/ledger.ts';
import { fakeStats } from '../../support/fake-stats.ts';
import { containerSpec, taskSpec } from '../oci/task-spec.ts';

const id = 'ea32192c8553fbff06c9340478a2ff089b2bb5646fb718b4ee206641c9086d66';
const place: Place = { availabilityZone: 'us-west-2d', hostAddress: '192.0.2.7', addresses: { curl: '10.0.2.100' } };

function ledgerTask(containers: Readonly<Record<string, Partial<LedgerContainer>>>, more: Partial<LedgerTask> = {}) {
  const names = Object.keys(containers);
  const task: LedgerTask = {
    schemaVersion: 1,
    taskId: '8f03e41243824aea923aca126495f665',
    spec: taskSpec({
      taskId: '8f03e41243824aea923aca126495f665',
      family: 'curltest',
      revision: 24,
      networkMode: 'bridge',
      containers: names.map((name) => containerSpec({ name, image: 'curltest:latest', cpuUnits: 10, memoryMib: 128 })),
    }),
    desired: { status: 'RUNNING', version: 1, at: 0 },
    acceptedAt: 0,
    containers: names.map((name) => ({ name, networkBindings: [], removed: false, ...containers[name] })),
    sequence: 1,
    acknowledgedSequence: 0,
    ...more,
  };
  return task;
}

const running: Partial<LedgerContainer> = {
  imageDigest: 'sha256:d691',
  runtimeId: id,
  createdAt: Date.UTC(2026, 9, 2, 0, 15, 7),
  startedAt: Date.UTC(2026, 9, 2, 0, 15, 8),
};

describe('a container', () => {
  it('that runs is told as ECS tells it', () => {
    const networkBindings = [
      { bindIP: '0.0.0.0', containerPort: 80, hostPort: 32_768, protocol: 'tcp' as const },
      { bindIP: '0.0.0.0', containerPortRange: '53-54', hostPortRange: '40000-40001', protocol: 'udp' as const },
    ];
    expect(containerDocument(ledgerTask({ curl: { ...running, networkBindings } }), 'curl', place)).toEqual({
      DockerId: id,
      Name: 'curl',
      DockerName: 'ecs-curltest-24-curl-ea32192c8553fbff06c9',
      Image: 'curltest:latest',
      ImageID: 'sha256:d691',
      Ports: [
        { ContainerPort: 80, Protocol: 'tcp', HostPort: 32_768, HostIp: '0.0.0.0' },
        { ContainerPort: 53, Protocol: 'udp', HostPort: 40_000, HostIp: '0.0.0.0' },
        { ContainerPort: 54, Protocol: 'udp', HostPort: 40_001, HostIp: '0.0.0.0' },
      ],
      Labels: {},
      DesiredStatus: 'RUNNING',
      KnownStatus: 'RUNNING',
      Limits: { CPU: 10, Memory: 128 },
      CreatedAt: '2026-10-02T00:15:07.000Z',
      StartedAt: '2026-10-02T00:15:08.000Z',
      Type: 'NORMAL',
      LogDriver: 'json-file',
      LogOptions: {},
      ContainerARN: expect.stringMatching(
        /:container\/default\/8f03e41243824aea923aca126495f665\/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
      ),
      Networks: [{ NetworkMode: 'bridge', IPv4Addresses: ['10.0.2.100'] }],
    });
  });

  it('says where its log is read, where that is not on its host', () => {
    const task = ledgerTask({ curl: running });
    const log = awslogsLog({
      region: 'us-west-2',
      group: '/ecs/metadata',
      createsGroup: false,
      mode: 'non-blocking',
      maxBufferBytes: 1024,
    });
    const documentWith = (stream: object) => {
      const containers = [containerSpec({ name: 'curl', log: { ...log, ...stream } })];
      return containerDocument({ ...task, spec: { ...task.spec, containers } }, 'curl', place);
    };
    const options = { 'awslogs-group': '/ecs/metadata', 'awslogs-region': 'us-west-2' };
    expect(documentWith({ stream: 'ecs/curl/8f03e412' })).toMatchObject({
      LogDriver: 'awslogs',
      LogOptions: { ...options, 'awslogs-stream': 'ecs/curl/8f03e412' },
    });
    expect(documentWith({}).LogOptions).toEqual({ ...options, 'awslogs-stream': id });
  });

  it.each<[string, Partial<LedgerContainer>, object]>([
    ['is yet to be pulled', {}, { KnownStatus: 'NONE', DockerId: '', ImageID: '' }],
    ['is pulled', { imageDigest: 'sha256:1' }, { KnownStatus: 'PULLED', ImageID: 'sha256:1' }],
    ['is created', { ...running, startedAt: undefined }, { KnownStatus: 'CREATED', DockerId: id }],
    [
      'has ended',
      { ...running, end: { at: Date.UTC(2026, 9, 2), exitCode: 3, oomKilled: false } },
      { KnownStatus: 'STOPPED', ExitCode: 3, FinishedAt: '2026-10-02T00:00:00.000Z' },
    ],
  ])('that %s', (_, known, expected) => {
    expect(containerDocument(ledgerTask({ curl: known }), 'curl', place)).toMatchObject(expected);
  });
});

describe('a task', () => {
  it('is as far as the last of its containers, and has limits in vCPUs and MiB where it has any', () => {
    const task = ledgerTask(
      { curl: running, side: { imageDigest: 'sha256:1' } },
      { pullStartedAt: 0, pullStoppedAt: 1 },
    );
    const document = taskDocument({ ...task, spec: { ...task.spec, cpuUnits: 256, memoryMib: 512 } }, place);
    expect(document).toMatchObject({
      Cluster: 'default',
      TaskARN: task.spec.taskArn,
      Family: 'curltest',
      Revision: '24',
      DesiredStatus: 'RUNNING',
      KnownStatus: 'PULLED',
      Limits: { CPU: 0.25, Memory: 512 },
      PullStartedAt: '1970-01-01T00:00:00.000Z',
      PullStoppedAt: '1970-01-01T00:00:00.001Z',
      AvailabilityZone: 'us-west-2d',
      LaunchType: 'EC2',
      Containers: [{ Name: 'curl' }, { Name: 'side' }],
    });
    expect(taskDocument(task, place)).not.toHaveProperty('Limits');
    expect(taskDocument({ ...task, stop: { at: 0 } }, place).DesiredStatus).toBe('STOPPED');
  });

  it('in host mode is at the address of its host', () => {
    const task = ledgerTask({ curl: running });
    const host: LedgerTask = { ...task, spec: { ...task.spec, networkMode: 'host' } };
    expect(containerDocument(host, 'curl', place).Networks).toEqual([
      { NetworkMode: 'host', IPv4Addresses: ['192.0.2.7'] },
    ]);
  });
});

describe('statistics', () => {
  const network = (rxBytes: number) => {
    const none = { rxPackets: 0, rxErrors: 0, rxDropped: 0, txBytes: 0, txPackets: 0, txErrors: 0, txDropped: 0 };
    return { network: { eth0: { rxBytes, ...none } } };
  };
  const of = (before: boolean) =>
    statsDocument({
      id,
      name: 'ecs-a-1-b',
      stats: { ...fakeStats(12_000, 2000, 128), ...network(3000) },
      before: before ? { ...fakeStats(10_000, 2000, 128), ...network(1000) } : undefined,
      machineMemoryBytes: 1,
    });

  it('have Docker’s members, and the reading before', () => {
    expect(of(true)).toMatchObject({
      id,
      name: '/ecs-a-1-b',
      read: '1970-01-01T00:00:12.000Z',
      preread: '1970-01-01T00:00:10.000Z',
      cpu_stats: { cpu_usage: { total_usage: 1e9 }, system_cpu_usage: 20e9, online_cpus: 2 },
      precpu_stats: { cpu_usage: { total_usage: 0.8e9 }, system_cpu_usage: 16e9, online_cpus: 2 },
      memory_stats: { usage: 8_388_608, limit: 134_217_728, stats: { inactive_file: 2_097_152, rss: 4_194_304 } },
      pids_stats: { current: 1, limit: 4096 },
      blkio_stats: {
        io_service_bytes_recursive: [
          { op: 'Read', value: 4096 },
          { op: 'Write', value: 8192 },
        ],
      },
      networks: { eth0: { rx_bytes: 3000 } },
      network_rate_stats: { rx_bytes_per_sec: 1000, tx_bytes_per_sec: 0 },
    });
  });

  it('of a first reading have an empty one before it, as in Docker', () => {
    expect(of(false)).toMatchObject({
      preread: '0001-01-01T00:00:00Z',
      precpu_stats: { cpu_usage: { total_usage: 0 } },
    });
    expect(of(false)).not.toHaveProperty('network_rate_stats');
  });
});

describe('an id of the endpoint', () => {
  it('counts for the addresses of its task alone, and in host mode for none of a task', () => {
    const ids = new MetadataIds();
    const isTask = (address: string) => address.startsWith('10.');
    const record = (taskId: string, metadataId: string, address?: string) => ({
      version: 1 as const,
      taskId,
      containers: [{ name: 'a', bindings: [], metadataId, ...(address === undefined ? {} : { address }) }],
    });
    const [bridge, host] = [record('bridge', 'b', '10.0.0.2'), record('host', 'h')];
    ids.add(bridge);
    ids.add(host);
    expect(ids.askerOf('b', '10.0.0.2', isTask)).toEqual({
      taskId: 'bridge',
      container: 'a',
      addresses: { a: '10.0.0.2' },
    });
    expect(ids.askerOf('b', '10.0.0.3', isTask)).toBeUndefined();
    expect(ids.askerOf('b', '192.0.2.7', isTask)).toBeUndefined();
    expect(ids.askerOf('h', '192.0.2.7', isTask)).toMatchObject({ taskId: 'host' });
    expect(ids.askerOf('h', '10.0.0.2', isTask)).toBeUndefined();
    ids.remove(bridge);
    expect(ids.askerOf('b', '10.0.0.2', isTask)).toBeUndefined();
  });
});
