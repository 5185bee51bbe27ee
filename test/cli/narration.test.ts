/** What is told while a task comes along: its pulls, and that nothing happens. */
import { describe, expect, it } from 'vitest';
import { createOutput } from '../../cli/output.ts';
import { Narrator } from '../../cli/render/narrator.ts';
import type { TaskView } from '../../core/api/shapes.ts';
import type { ProgressFrame } from '../../core/host-protocol.ts';
import { openDesk } from './support/desk.ts';
import { changeObservation } from './support/scene.ts';
import { Terminal } from './support/terminal.ts';

const frameOf = (taskId: string, changes: Partial<ProgressFrame> = {}): ProgressFrame => ({
  kind: 'progress',
  taskId,
  container: 'app',
  image: 'example.com/web:1',
  phase: 'downloading',
  layersDone: 0,
  layersTotal: 2,
  bytesDone: 0,
  bytesTotal: 4_194_304,
  ...changes,
});

describe('a pull', () => {
  it.each([
    ['on a terminal is a bar that moves', 80, `web:1  [${'#'.repeat(12)}${' '.repeat(12)}]  50 %  2 MiB of 4 MiB`],
    ['elsewhere is a line when it begins', undefined, 'pulling example.com/web:1 (2 layers, 4 MiB)\n'],
  ])('%s', async (_, columns, text) => {
    await using desk = await openDesk();
    const host = await desk.world.host();
    await desk.world.register('job');
    const running = desk.start(['run', 'job', '--wait'], columns === undefined ? {} : { columns });
    await running.said('placed on host-1');
    await host.fetch();
    const [id = ''] = host.tasks.keys();
    const { feed } = desk.world.control.deps;
    // What comes before the watch is open is lost, as in life: the newest is kept.
    for (const bytesDone of [0, 2_097_152]) feed.progress(frameOf(id, { bytesDone }));
    await running.said(text);
    feed.progress(frameOf(id, { phase: 'done' }));
    host.start(id);
    host.end(id);
    await host.report();
    const { stderr } = await running.ended;
    expect(stderr.split('pulling example.com').length).toBe(columns === undefined ? 2 : 1);
  });
});

it('what a pull waits for is told once, off a terminal, and whenever somebody asks why', async () => {
  await using desk = await openDesk();
  const host = await desk.world.host();
  await desk.world.register('job');
  const running = desk.start(['run', 'job', '--wait']);
  await running.said('placed on host-1');
  await host.fetch();
  const [id = ''] = host.tasks.keys();
  const reason = 'r.example takes no connections (connection refused)';
  const { feed } = desk.world.control.deps;
  for (const attempt of [2, 3])
    feed.progress(frameOf(id, { waitsFor: { reason, attempt, attempts: 7, nextTryAt: desk.world.now() + 4000 } }));
  await running.said(`pulling example.com/web:1: ${reason}; try`);
  changeObservation(host, id, ({ sequence }) => ({ sequence: sequence + 1, pullStartedAt: desk.world.now() }));
  await host.report();
  const why = await desk.gantry(['why', id]);
  expect(why.stdout).toContain(`is on host-1, which pulls its images: ${reason}; try 3 of 7 in 4 s.`);
  feed.progress(frameOf(id, { phase: 'done' }));
  expect((await desk.gantry(['why', id])).stdout).toContain('is on host-1, which pulls its images.');
  host.start(id);
  host.end(id);
  await host.report();
  expect((await running.ended).stderr.split(reason).length).toBe(2);
});

it('nothing moves with --json, not even on a terminal', async () => {
  await using desk = await openDesk();
  const host = await desk.world.host();
  await desk.world.register('job');
  const running = desk.start(['run', 'job', '--wait', '--json'], { columns: 80 });
  await running.said('placed on host-1');
  await host.obey();
  for (const id of host.tasks.keys()) host.end(id);
  await host.report();
  expect((await running.ended).stderr).not.toContain('\r');
});

interface Told {
  readonly narrator: Narrator;
  readonly view: TaskView;
  readonly text: () => string;
  readonly advance: (seconds: number) => void;
}

async function tell(columns: number | undefined, several = false): Promise<Told> {
  await using desk = await openDesk();
  await desk.world.host();
  await desk.world.register('job');
  const { tasks } = await desk.world.call('RunTask', { taskDefinition: 'job' });
  const [view] = tasks;
  if (view === undefined) throw new Error('a task was asked for');
  let now = view.createdAt.getTime();
  const { stdout, stderr } = new Terminal(columns);
  const out = createOutput({ stdout, stderr, json: false, colour: false });
  const narrator = new Narrator({ out, now: () => now, several });
  return {
    narrator,
    view,
    text: () => stderr.text,
    advance: (seconds) => {
      now += seconds * 1000;
    },
  };
}

describe('the narrator', () => {
  it('tells each line of a story once', async () => {
    const { narrator, view, text } = await tell(undefined);
    for (let time = 0; time < 3; time += 1) narrator.task(view);
    expect(text().match(/placed on host-1/g)).toHaveLength(1);
  });

  it('ends the bar of a pull when the task is past it', async () => {
    const { narrator, view, text } = await tell(80);
    narrator.task(view);
    narrator.progress(frameOf(view.taskArn.split('/').at(-1) ?? ''));
    expect(text()).toMatch(/0 % {2}0 B of 4 MiB$/);
    narrator.task({ ...view, pullStoppedAt: view.createdAt });
    expect(text()).toMatch(/PENDING: it is placed[^%]+$/);
  });

  it('says once that a pull begins: with what is pulled, where that is known', async () => {
    const pulling = { at: new Date(0), phase: 'pulling', text: 'pulling images' };
    for (const known of [true, false]) {
      const { narrator, view, text } = await tell(undefined);
      narrator.task(view);
      if (known) narrator.progress(frameOf(view.taskArn.split('/').at(-1) ?? ''));
      narrator.task({ ...view, story: [...view.story, pulling] });
      expect(text().match(/pulling .*/g)).toEqual([
        known ? 'pulling example.com/web:1 (2 layers, 4 MiB)' : 'pulling images',
      ]);
    }
  });

  it('says every half minute what is waited for, and nothing of what runs', async () => {
    const { narrator, view, text, advance } = await tell(undefined);
    narrator.task(view);
    const before = text();
    advance(29);
    narrator.tick();
    expect(text()).toBe(before);
    advance(1);
    narrator.tick();
    narrator.tick();
    const said = 'still PENDING after 30 s: it is placed on host-1, which has not taken it yet\n';
    expect(text()).toBe(before + said);
    narrator.task({ ...view, lastStatus: 'RUNNING' });
    advance(100);
    narrator.tick();
    expect(text()).toBe(before + said);
  });

  it('names the task of each line where there are several', async () => {
    const { narrator, view, text } = await tell(undefined, true);
    narrator.task(view);
    const id = view.taskArn.split('/').at(-1)?.slice(0, 12) ?? '';
    const lines = text().trimEnd().split('\n');
    expect(lines.filter((line) => line.startsWith(`${id}  `))).toEqual(lines);
  });

  it('keeps to six changing lines', async () => {
    const { narrator, view, text } = await tell(80, true);
    for (let task = 10; task < 20; task += 1)
      narrator.task({ ...view, taskArn: `${view.taskArn.slice(0, -2)}${task}` });
    const lines = text().split('\n');
    expect(lines.at(-1)).toBe('… and 4 more');
    expect(lines.slice(-7, -1).every((line) => line.includes('PENDING: it is placed'))).toBe(true);
    expect(lines.at(-8)).toContain('placed on host-1: ');
    narrator.end();
    expect(text().endsWith('\u001b[1A\u001b[2K')).toBe(true);
  });
});
