/** Running the machine's tools: what they are given, what is made of their ends. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { runTool, ToolError } from '../../../agent/network/tool.ts';

const shell = (script: string, ...args: string[]) => runTool('sh', ['-c', script, ...args]);

const failureOf = async (running: Promise<unknown>): Promise<ToolError> => {
  const error: unknown = await running.catch((thrown: unknown) => thrown);
  if (error instanceof ToolError) return error;
  throw new Error('it did not fail with a ToolError', { cause: error });
};

describe('a tool', () => {
  it('gets its arguments and its input as they are', async () => {
    const words = ["it's", '$HOME `id` "x"', 'two\nlines', ''];
    expect(await shell('printf "<%s>" "$@"', 'sh', ...words)).toBe(words.map((word) => `<${word}>`).join(''));
    const input = 'first $HOME\n\\second `id`\n';
    expect(await runTool('cat', [], { input })).toBe(input);
    expect(await runTool('cat', [])).toBe('');
  });

  it('may take and say much', async () => {
    const input = `${'0123456789abcdef'.repeat(20_000)}\n`;
    expect(await runTool('cat', [], { input })).toBe(input);
  });

  it('that ends badly tells what it complained of, and not what it said', async () => {
    const failure = await failureOf(shell('echo said; echo complained >&2; exit 3'));
    expect(failure).toMatchObject({ missing: false, complaint: 'complained\n', message: 'sh failed: complained' });
    expect((await failureOf(shell('exit 1'))).message).toBe('sh failed: it gave no reason');
  });

  it('that is not there is missing', async () => {
    const failure = await failureOf(runTool('no-such-tool', ['-x']));
    expect(failure.missing).toBe(true);
    expect(failure.message).toMatch(/^no-such-tool is not installed on this host/);
  });

  it('speaks English, and finds what only administrators have on their PATH', async () => {
    const [language, path] = (await shell('echo "$LC_ALL"; echo "$PATH"')).split('\n');
    expect(language).toBe('C');
    expect(path?.split(':')).toEqual(expect.arrayContaining(['/usr/sbin', '/sbin', '/bin']));
  });

  it('runs beside many others, each with its own output', async () => {
    const numbers = Array.from({ length: 40 }, (_, index) => String(index));
    const outputs = await Promise.all(numbers.map((number) => shell('echo "$1"; echo "$1" >&2', 'sh', number)));
    expect(outputs).toEqual(numbers.map((number) => `${number}\n`));
  });

  it('runs also after what ran the last one was killed', async () => {
    const parent = Number(await shell('echo $PPID'));
    expect(readFileSync(`/proc/${parent}/comm`, 'utf8')).toBe('sh\n');
    await expect(shell('kill -9 $PPID')).rejects.toThrow('was ended');
    expect(await shell('echo again')).toBe('again\n');
  });
});
