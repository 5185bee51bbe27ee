import { describe, expect, it } from 'vitest';
import type { HostCapacity } from '../../core/model/host.ts';
import type { PlacementNeeds } from '../../core/model/task.ts';
import { explainRefusal } from '../../core/placement/explain.ts';
import type { Explanation } from '../../core/placement/explanation.ts';
import { explanationSchema } from '../../core/placement/explanation.ts';
import { emptyHost, plainNeeds } from './arbitraries.ts';

function tell({ sentence, hostsLookedAt, histogram, nearest }: Explanation): string {
  const bars = histogram.map(
    ({ hosts, dimension, reason, detail }) => `  ${hosts} × ${dimension} [${reason}] ${detail}`,
  );
  const hosts = nearest.map(({ name, lacks }) => `  ${name}: ${lacks.join(' | ')}`);
  return `${sentence}\nlooked at: ${hostsLookedAt}\n${['histogram', ...bars, 'nearest', ...hosts].join('\n')}\n`;
}

const stories: Record<string, { hosts: HostCapacity[]; needs: PlacementNeeds }> = {
  'no hosts': { hosts: [], needs: plainNeeds() },
  'memory, and one draining': {
    hosts: [
      emptyHost('host-1', { freeMemoryMib: 512 }),
      emptyHost('host-2', { freeMemoryMib: 100 }),
      emptyHost('host-3', { freeMemoryMib: 256, freeCpuUnits: 0 }),
      emptyHost('host-4', { status: 'DRAINING' }),
    ],
    needs: plainNeeds({ reservation: { cpuUnits: 0, memoryMib: 1024, ports: [] } }),
  },
  'larger than any host': {
    hosts: [emptyHost('host-1'), emptyHost('host-2', { freeCpuUnits: 100 })],
    needs: plainNeeds({ reservation: { cpuUnits: 4096, memoryMib: 9000, ports: [] } }),
  },
  'every dimension': {
    hosts: [
      emptyHost('draining', { status: 'DRAINING' }),
      emptyHost('new', { epoch: 2 }),
      emptyHost('silent', { connected: false }),
      emptyHost('x86', { attributes: { 'ecs.cpu-architecture': 'x86_64' } }),
      emptyHost('plain'),
      emptyHost('twin', { attributes: { 'ecs.cpu-architecture': 'arm64' }, groups: { 'family:web': 1 } }),
      emptyHost('busy', { attributes: { 'ecs.cpu-architecture': 'arm64' }, freeCpuUnits: 10 }),
      emptyHost('full', { attributes: { 'ecs.cpu-architecture': 'arm64' }, freeMemoryMib: 10 }),
      emptyHost('web', {
        attributes: { 'ecs.cpu-architecture': 'arm64' },
        ports: { 'tcp/80': 'f00d', 'tcp/22': 'reserved' },
      }),
    ],
    needs: plainNeeds({
      attributes: { 'ecs.cpu-architecture': 'arm64' },
      constraints: [{ type: 'distinctInstance' }],
      reservation: { cpuUnits: 256, memoryMib: 512, ports: ['tcp/80', 'tcp/22', 'tcp/8080'] },
    }),
  },
  'what expressions exclude': {
    hosts: [
      ...['a', 'b', 'c', 'd'].map((stack) => emptyHost(`of-${stack}`, { attributes: { stack } })),
      emptyHost('bare'),
      emptyHost('loud', { attributes: { stack: 'prod' }, groups: { loud: 2 }, taskCount: 2 }),
      emptyHost('full', { attributes: { stack: 'prod' }, freeMemoryMib: 0 }),
      emptyHost('old', { attributes: { stack: 'prod' }, agentVersion: '0.1.0' }),
    ],
    needs: plainNeeds({
      constraints: [
        { type: 'memberOf', expression: 'attribute:stack == prod' },
        { type: 'memberOf', expression: 'not(task:group == loud)' },
        { type: 'memberOf', expression: `agentVersion !exists or agentVersion in [${'9.9.9, '.repeat(20)}9.9.8]` },
      ],
    }),
  },
  'a large cluster': {
    hosts: Array.from({ length: 250 }, (_, index) => emptyHost(`host-${index}`, { freeMemoryMib: index })),
    needs: plainNeeds(),
  },
};

describe('an explanation', () => {
  it.each(Object.entries(stories))('%s', async (name, { hosts, needs }) => {
    const explanation = explainRefusal(hosts, needs);
    expect(explanationSchema.parse(explanation)).toEqual(explanation);
    await expect(tell(explanation)).toMatchFileSnapshot(`./golden/explanation - ${name}.txt`);
  });

  it('refuses to explain what is no refusal', () => {
    expect(() => explainRefusal([emptyHost('host-1')], plainNeeds())).toThrow('refuses nothing');
  });
});
