/** Completion as shells do it: the real bash (and fish and zsh, where they are installed) with the scripts, and what they ask for. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commands } from '../../cli/commands/index.ts';
import { openDesk, startCommand } from './support/desk.ts';
import { setScene } from './support/scene.ts';

let directory: string;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'gantry-completion-'));
  for (const shell of ['bash', 'zsh', 'fish'])
    writeFileSync(join(directory, shell), (await startCommand(['completion', shell], {}).ended).stdout);
  // Says what it was asked, in place of whatever a control plane would know.
  writeFileSync(join(directory, 'gantry'), '#!/bin/sh\nprintf "%s\\twhat it is\\n" "$2" "$*" web:3\n', { mode: 0o755 });
});
afterAll(() => rmSync(directory, { recursive: true }));

const environment = () => ({ PATH: `${directory}:${process.env.PATH ?? ''}`, HOME: directory });
const isInstalled = (shell: string): boolean => spawnSync(shell, ['-c', 'true']).status === 0;

/** Each line with what bash would offer, all in one process. */
function offeredByBash(lines: readonly string[]): string[][] {
  const script = `
    source ${directory}/bash
    while IFS= read -r COMP_LINE; do
      COMP_POINT=\${#COMP_LINE} COMPREPLY=()
      _gantry
      (IFS='|'; printf '%s\\n' "\${COMPREPLY[*]}")
    done`;
  const options = { input: `${lines.join('\n')}\n`, encoding: 'utf8', env: environment(), cwd: directory } as const;
  const { stdout, stderr, status } = spawnSync('bash', ['--norc', '-c', script], options);
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  return stdout
    .split('\n')
    .slice(0, lines.length)
    .map((line) => (line === '' ? [] : line.split('|')));
}

describe('bash', () => {
  it('offers every command, and every option of each', () => {
    const options = commands.map(({ name }) => `gantry ${name} --`);
    const [firsts = [], ...rest] = offeredByBash(['gantry ', ...options]);
    expect(new Set(firsts)).toEqual(new Set(['help', ...commands.map(({ name }) => name.split(' ')[0])]));
    for (const [place, command] of commands.entries())
      expect(rest[place]).toEqual(
        [...Object.keys(command.options), 'json', 'cluster', 'context', 'endpoint', 'region', 'help'].map(
          (one) => `--${one}`,
        ),
      );
  });

  it.each([
    ['gantry task-defs ', ['list', 'show', 'diff', 'deregister', 'delete']],
    ['gantry help task-defs d', ['diff', 'deregister', 'delete']],
    ['gantry run --la', ['--launch-type']],
    ['gantry run web --launch-type ', ['EC2']],
    ['gantry wait a b --for=', ['stopped', 'running']],
    ['gantry wait a b --for=r', ['running']],
    ['gantry events --kind ref', ['refusal']],
    ['gantry completion ', ['bash', 'zsh', 'fish']],
    // What is offered stands behind the last colon or equals sign: bash breaks words there.
    ['gantry show --cluster web ', ['task', 'complete task --cluster web', 'web:3']],
    ['gantry show -c web --context=prod t', ['task']],
    ['gantry show -c web --context=prod complete', ['complete task -c web --context=prod']],
    ['gantry stop a --reason b ', ['task', 'complete task', 'web:3']],
    ['gantry task-defs show web:', ['3']],
    ['gantry ps --host=h', ['host']],
    ['gantry clusters settings web ', []],
    ['gantry run ba', ['bash']],
    ['gantry run web -- ', []],
    ['gantry frobnicate ', []],
    ['gantry run --count ', []],
  ])('completes %j', (line, expected) => {
    expect(offeredByBash([line])[0]).toEqual(expected);
  });
});

describe.skipIf(!isInstalled('fish'))('fish', () => {
  it.each([
    ['gantry ru', ['run']],
    ['gantry clusters de', ['delete']],
    ['gantry run web --launch-type ', ['EC2']],
    ['gantry wait a --for r', ['running']],
    ['gantry show --cluster web complete', ['complete task --cluster web']],
    ['gantry clusters list --js', ['--json']],
  ])('completes %j', (line, expected) => {
    const script = `source ${directory}/fish; complete -C '${line}'`;
    const offered = execFileSync('fish', ['--no-config', '-c', script], { encoding: 'utf8', env: environment() });
    const words = offered.trimEnd().split('\n');
    expect(words.map((word) => word.split('\t')[0])).toEqual(expected);
  });
});

describe.skipIf(!isInstalled('zsh'))('zsh', () => {
  it('can read its script', () => {
    expect(spawnSync('zsh', ['-n', join(directory, 'zsh')], { encoding: 'utf8' })).toMatchObject({
      status: 0,
      stderr: '',
    });
  });
});

describe('complete', () => {
  it('says what can stand for each kind of argument', async () => {
    await using desk = await openDesk();
    const { running } = await setScene(desk);
    await desk.world.call('CreateCluster', { clusterName: 'batch' });
    const offered = async (kind: string, ...more: string[]) =>
      (await desk.gantry(['complete', kind, ...more])).stdout.trimEnd().split('\n');
    expect(await offered('cluster')).toEqual(['batch', 'default']);
    expect(await offered('task')).toContain(`${running.slice(0, 12)}\tweb:1 RUNNING`);
    expect(await offered('task', '--cluster', 'batch')).toEqual(['']);
    expect(await offered('family')).toEqual(['huge', 'job', 'web']);
    expect(await offered('revision')).toEqual(['huge', 'job', 'web', 'web:1', 'job:1', 'huge:1']);
    expect(await offered('host')).toEqual(['host-1\tACTIVE', 'host-2\tACTIVE']);
    expect(await offered('context')).toEqual(['local\tthe cloud on this machine']);
    expect(await offered('file')).toEqual(['']);
  });

  it('says nothing where nothing answers, and refuses what it does not know', async () => {
    const nobody = ['complete', 'task', '--endpoint', 'http://127.0.0.1:9'];
    expect(await startCommand(nobody, {}).ended).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(await startCommand(['complete', 'planet'], {}).ended).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(
        "gantry complete: KIND is cluster or task or family or revision or host or context or file, not 'planet'.",
      ),
    });
  });
});
