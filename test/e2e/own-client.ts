/** What our own client does with a cloud: follows tasks and their logs, as far as the platform has streams. */
import { expect, it } from 'vitest';
import type { Platform } from './platforms.ts';
import type { Stage } from './stage.ts';
import { whenTask } from './when-task.ts';

const lines = 'echo one; echo two';

/** Runs before anything else has pulled the image. */
export function ownClient(stage: () => Stage, { lacks }: Platform): void {
  const name = (task: string) => ({ cluster: 'default', task });

  async function run(family: string, command: string): Promise<string> {
    const { client } = stage().cloud;
    await client.call('RegisterTaskDefinition', {
      family,
      networkMode: 'none',
      containerDefinitions: [
        { name: 'main', image: stage().images.busybox, memory: 32, command: ['sh', '-c', command] },
      ],
    });
    const { tasks } = await client.call('RunTask', { taskDefinition: family });
    return tasks[0]?.taskArn ?? expect.fail();
  }

  it('follows a task to its end, and reads its last lines then', async () => {
    const { client } = stage().cloud;
    const task = await run('ends', `${lines}; sleep 1; exit 4`);
    const seen = await all(client.watchTask(name(task)));
    const views = seen.flatMap((line) => (line.kind === 'task' ? [line.task] : []));
    expect(views.map(({ lastStatus }) => lastStatus)).toContain('RUNNING');
    expect(views.at(-1)).toMatchObject({ lastStatus: 'STOPPED', containers: [{ exitCode: 4 }] });
    expect(seen.some(({ kind }) => kind === 'progress')).toBe(!lacks.includes('progress of pulls'));
    expect((await all(client.logs(name(task)))).map(({ text }) => text)).toEqual(['one', 'two']);
  });

  it('reads the log of a task that runs, its statistics and the images of its host, or is told what to do instead', async () => {
    const { client } = stage().cloud;
    const task = await run('stays', `${lines}; trap "exit 0" TERM; while :; do sleep 1 & wait $!; done`);
    await whenTask(client, 'running', task);
    const read = all(client.logs({ ...name(task), follow: true }));
    const outcome = lacks.includes('live logs')
      ? expect(read).rejects.toMatchObject({
          code: 'UnsupportedFeatureException',
          hint: expect.stringContaining('GetTask'),
        })
      : expect(read).resolves.toMatchObject([{ text: 'one' }, { text: 'two' }]);
    const { hostName: host = '', containers } = (await client.call('GetTask', name(task))).task;
    const held = client.call('GetHostImages', { host });
    if (lacks.includes('images of hosts'))
      await expect(held).rejects.toMatchObject({ code: 'UnsupportedFeatureException' });
    else
      expect((await held).images).toContainEqual({
        names: [stage().images.busybox],
        digest: containers[0]?.imageDigest,
        sizeBytes: expect.any(Number),
        lastUsedAt: expect.any(Date),
        taskArns: expect.arrayContaining([task]),
      });
    const used = client.call('GetHostStats', { host });
    if (lacks.includes('statistics of containers'))
      await expect(used).rejects.toMatchObject({ code: 'UnsupportedFeatureException' });
    else
      expect((await used).containers).toContainEqual(
        expect.objectContaining({
          taskArn: task,
          name: 'main',
          memory: expect.objectContaining({ limitBytes: 32 << 20 }),
        }),
      );
    await client.call('StopTask', name(task));
    await outcome;
    await whenTask(client, 'stopped', task);
  });
}

async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const one of source) found.push(one);
  return found;
}
