import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseQuery } from '../../../core/query/parse.ts';

const page = readFileSync(new URL('../../../docs/placement.md', import.meta.url), 'utf8');
const examples = /```text\n([^`]+)```/.exec(page)?.[1]?.trim().split('\n') ?? [];

describe('the page about placement', () => {
  it('has examples', () => {
    expect(examples.length).toBeGreaterThan(5);
  });

  it.each(examples)('has an example that can be read: %s', (example) => {
    expect(() => parseQuery(example)).not.toThrow();
  });
});
