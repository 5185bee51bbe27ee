import { expect, it } from 'vitest';
import { ProgressMeter } from '../../../agent/images/progress.ts';
import type { PullProgress } from '../../../agent/runtime.ts';

function meter() {
  const told: PullProgress[] = [];
  const clock = { now: 0 };
  const progress = new ProgressMeter(
    (each) => told.push(each),
    () => clock.now,
  );
  return { told, clock, progress };
}

it('tells phases and layers at once, and bytes a few times a second', () => {
  const { told, clock, progress } = meter();
  progress.startDownload(2, 100);
  progress.downloaded('a', 10);
  clock.now = 100;
  progress.downloaded('a', 20);
  progress.downloaded('b', 30);
  progress.layerUnpacked();
  progress.downloaded('a', 70);
  progress.layerUnpacked();
  progress.done();
  expect(told.map(({ phase, layersDone, bytesDone }) => [phase, layersDone, bytesDone])).toEqual([
    ['downloading', 0, 0],
    ['downloading', 0, 20],
    ['downloading', 1, 50],
    ['unpacking', 1, 100],
    ['unpacking', 2, 100],
    ['done', 2, 100],
  ]);
});

it('tells what is waited for, of several the last, and nothing where nothing was', () => {
  const { told, progress } = meter();
  const [one, two] = [{}, {}];
  progress.waits(one, undefined);
  expect(told).toEqual([]);
  for (const [key, reason] of [
    [one, 'a registry'],
    [two, 'its turn'],
  ] as const)
    progress.waits(key, { reason });
  progress.waits(two, undefined);
  progress.waits(one, undefined);
  expect(told.map(({ waitsFor }) => waitsFor?.reason)).toEqual(['a registry', 'its turn', 'a registry', undefined]);
});

it('goes back by what a broken connection cost', () => {
  const { told, progress } = meter();
  progress.startDownload(1, 100);
  progress.downloaded('a', 60);
  progress.downloaded('a', 40);
  progress.layerUnpacked();
  expect(told.at(-1)).toMatchObject({ bytesDone: 40 });
});

it('ends full for an image that was there already', () => {
  const { told, progress } = meter();
  progress.done();
  expect(told).toEqual([{ phase: 'done', layersDone: 0, layersTotal: 0, bytesDone: 0, bytesTotal: 0 }]);
});
