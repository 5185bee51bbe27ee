/** docs/operating.md is held to what it is about: alarms, context, outputs, commands, the example. */
import { readFileSync } from 'node:fs';
import { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { appOptions } from '../../bin/app-options.ts';
import { commands } from '../../cli/commands/index.ts';
import { parseInvocation } from '../../cli/parse.ts';
import { GantryStack } from '../../lib/gantry-stack.ts';
import { testApp } from './support/synth.ts';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const operating = read('docs/operating.md');

/** Names in the first column of tables: `a`, or `a`, `b`. */
const firstColumn = (section: string): string[] =>
  [...sectionOf(section).matchAll(/^\|((?: ?`\w+`,?)+)[^|]*\|/gm)].flatMap(([, cell = '']) => codeIn(cell));

const sectionOf = (title: string): string =>
  operating.split(/^## /m).find((text) => text.startsWith(`${title}\n`)) ?? '';

const codeIn = (text: string): string[] => [...text.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);

const template = (() => {
  using made = testApp();
  return Template.fromStack(new GantryStack(made.app, 'Gantry', { hosts: 1, alarmEmail: 'ops@example.com' }));
})();

describe('docs/operating.md', () => {
  it('names every alarm and no other, and counts them', () => {
    const alarms = Object.keys(template.findResources('AWS::CloudWatch::Alarm')).map((id) =>
      id.replace(/^ControlPlane|[0-9A-F]{8}$/g, ''),
    );
    expect(firstColumn('Alarms').toSorted()).toEqual(alarms.toSorted());
    expect(sectionOf('What it costs')).toContain(`| ${alarms.length} alarms, `);
  });

  it('has every key of the context and no other', () => {
    const known = /known are (.*)\.$/m.exec(complaint('gantry:?'))?.[1]?.split(', ') ?? [];
    expect(known.length).toBeGreaterThan(10);
    expect(firstColumn('Deploy').toSorted()).toEqual(known.toSorted());
  });

  it('names every output of the stack', () => {
    for (const output of Object.keys(template.toJSON().Outputs)) expect(operating).toContain(`\`${output}\``);
  });

  it('shows a part of the example', () => {
    const [, shown = ''] = /```ts\n([\s\S]*?)```/.exec(operating) ?? [];
    expect(shown).not.toBe('');
    expect(read('examples/cdk/app.ts')).toContain(shown);
  });

  it('shows commands that there are, with options that they take', () => {
    // What the shell puts in between quotes is one word.
    const lines = [...operating.matchAll(/npx gantry ([^|>\n`]+)/g)].map(
      ([, line = '']) => line.match(/"[^"]*"|\S+/g) ?? [],
    );
    expect(lines.length).toBeGreaterThan(8);
    for (const words of lines) {
      const command = commands.find(({ name }) => `${words.join(' ')} `.startsWith(`${name} `));
      expect(command, words.join(' ')).toBeDefined();
      if (command === undefined) continue;
      const argv = words.slice(command.name.split(' ').length);
      // What xargs adds stands at the end.
      const isCut = command.arguments.length > 0 && argv.every((word) => word.startsWith('-'));
      expect(() => parseInvocation(command, isCut ? [...argv, 'x'] : argv)).not.toThrow();
    }
  });
});

function complaint(key: string): string {
  try {
    appOptions({ [key]: '' });
    return '';
  } catch (error) {
    return error instanceof Error ? error.message : '';
  }
}
