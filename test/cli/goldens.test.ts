/** What commands print on a terminal, elsewhere and with --json, as texts to be read in review. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Desk, openDesk } from './support/desk.ts';
import { type Scene, setScene } from './support/scene.ts';
import { transcript } from './support/transcript.ts';

const styles = { terminal: { columns: 120 }, plain: {}, json: { columns: 120 } } as const;

describe('a cluster with everything in it', () => {
  let desk: Desk;
  let scene: Scene;
  beforeAll(async () => {
    desk = await openDesk();
    scene = await setScene(desk);
    desk.logs.write(
      scene.running,
      { text: 'listening on 80' },
      { text: '\u001b[31mGET /\u001b[0m 500', stream: 'stderr' },
    );
  });
  afterAll(() => desk[Symbol.asyncDispose]());

  const commands: Record<string, (tasks: Scene) => string[]> = {
    ps: () => ['ps'],
    'ps of a family': () => ['ps', '--family', 'web'],
    'ps of nothing': () => ['ps', '--started-by', 'nobody'],
    hosts: () => ['hosts'],
    'show running': ({ running }) => ['show', running],
    'show waiting': ({ waiting }) => ['show', waiting],
    'show killed for want of memory': ({ oom }) => ['show', oom],
    'why waiting': ({ waiting }) => ['why', waiting],
    'why running': ({ running }) => ['why', running],
    'why it could not start': ({ broken }) => ['why', broken],
    events: () => ['events'],
    'events of a task': ({ oom }) => ['events', '--task', oom],
    'events of nothing': () => ['events', '--kind', 'capacity'],
    audit: () => ['audit', '-n', '6'],
    'audit of nothing': () => ['audit', '--principal', 'nobody', '--outcome', 'error'],
    'logs of what runs': ({ running }) => ['logs', running],
    'logs of what never ran': ({ waiting }) => ['logs', waiting],
  };
  for (const [name, argvOf] of Object.entries(commands))
    it.each(Object.entries(styles))(`${name}, %s`, async (style, options) => {
      const argv = [...argvOf(scene), ...(style === 'json' ? ['--json'] : [])];
      const ended = await desk.gantry(argv, options);
      await expect(transcript(argv.join(' '), ended)).toMatchFileSnapshot(`./golden/${name} - ${style}.txt`);
    });
});
