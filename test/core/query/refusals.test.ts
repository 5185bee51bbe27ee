import { describe, expect, it } from 'vitest';
import { parameterFault } from '../../../core/model/faults.ts';
import { checkedQuery } from '../../../core/query/host-query.ts';
import { parseQuery } from '../../../core/query/parse.ts';

describe('an expression is refused at its column', () => {
  const subjects =
    'attribute:NAME, agentConnected, agentVersion, ec2InstanceId, registeredAt, runningTasksCount, task:group';
  it.each([
    ['', 1, `one of ${subjects}, found the end`],
    ['stack == prod', 1, `one of ${subjects}, found "stack == prod"`],
    ['attribute: == prod', 1, `one of ${subjects}, found "attribute: == prod"`],
    ['task:family == a', 1, `one of ${subjects}, found "task:family == a"`],
    ['constructor exists', 1, `one of ${subjects}, found "constructor exists"`],
    ['attribute:a exists and ', 24, `one of ${subjects}, found the end`],
    ['attribute:a exists or or', 23, `one of ${subjects}, found "or"`],
    [
      'attribute:stack = prod',
      17,
      'an operator that attribute:stack takes (exists !exists == != in !in =~ !~ > >= < <=), found "= prod"',
    ],
    [
      'attribute:stack like prod',
      17,
      'an operator that attribute:stack takes (exists !exists == != in !in =~ !~ > >= < <=), found "like prod"',
    ],
    [
      'attribute:stack constructor',
      17,
      'an operator that attribute:stack takes (exists !exists == != in !in =~ !~ > >= < <=), found "constructor"',
    ],
    [
      'attribute:a',
      12,
      'an operator that attribute:a takes (exists !exists == != in !in =~ !~ > >= < <=), found the end',
    ],
    [
      'runningTasksCount =~ 3',
      19,
      'an operator that runningTasksCount takes (exists !exists == != in !in > >= < <=), found "=~ 3"',
    ],
    ['task:group > a', 12, 'an operator that task:group takes (exists !exists == != in !in =~ !~), found "> a"'],
    ['attribute:stack === prod', 19, 'a value, found "= prod"'],
    ['attribute:a == ', 16, 'a value, found the end'],
    ['attribute:a == )', 16, 'a value, found ")"'],
    ['runningTasksCount > many', 21, 'a whole number, found "many"'],
    ['runningTasksCount in [1, -1]', 26, 'a whole number, found "-1]"'],
    ['registeredAt > yesterday', 16, 'a time like 2018-06-18 or 2018-06-18T22:28:28Z, found "yesterday"'],
    ['registeredAt > 2018-13-40', 16, 'a time like 2018-06-18 or 2018-06-18T22:28:28Z, found "2018-13-40"'],
    ['agentVersion > latest', 16, 'a version like 1.2.3, found "latest"'],
    ['agentConnected == yes', 19, 'true or false, found "yes"'],
    ['attribute:a in b', 16, 'a list like [a, b], found "b"'],
    ['attribute:a in []', 17, 'a value, found "]"'],
    ['attribute:a in [b c]', 19, 'a comma or a closing bracket, found "c]"'],
    ['attribute:a in [b, c', 21, 'a comma or a closing bracket, found the end'],
    ['(attribute:a == b', 18, 'and, or or a closing parenthesis, found the end'],
    ['attribute:a == b)', 17, 'and, or or the end, found ")"'],
    ['attribute:a == b attribute:cc == d', 18, 'and, or or the end, found "attribute:cc == d"'],
    ['attribute:a == b c', 18, 'and, or or the end, found "c"'],
    ['attribute:a == 😀 c', 18, 'and, or or the end, found "c"'],
    ['attribute:a == "b', 18, 'a closing ", found the end'],
    ["attribute:a == 'b\\'", 20, "a closing ', found the end"],
    ['attribute:a =~ ', 16, 'a pattern, found the end'],
    ['attribute:a =~ t2(x', 20, 'a closing parenthesis in the pattern, found the end'],
    [
      'attribute:a =~ [ab',
      16,
      'a character, a class, an escape like \\d or \\. or a group in the pattern, found "[ab"',
    ],
    ['attribute:a =~ [z-a]', 16, 'a class of characters in the pattern, found "[z-a]"'],
    ['attribute:a =~ a**', 18, 'no second quantifier in the pattern, found "*"'],
    ['attribute:a =~ a++', 18, 'no second quantifier in the pattern, found "+"'],
    ['attribute:a =~ *a', 16, 'a character, a class, an escape like \\d or \\. or a group in the pattern, found "*a"'],
    [
      'attribute:a =~ "x(?=y)"',
      18,
      'a character, a class, an escape like \\d or \\. or a group in the pattern, found "(?=y)""',
    ],
    [
      'attribute:a =~ "(x)\\1"',
      20,
      'a character, a class, an escape like \\d or \\. or a group in the pattern, found "\\1""',
    ],
    [
      'attribute:a =~ \\bx',
      16,
      'a character, a class, an escape like \\d or \\. or a group in the pattern, found "\\bx"',
    ],
    ['attribute:a =~ a{3,2}', 22, 'a repetition up to 1000, the lesser number first in the pattern, found the end'],
    ['attribute:a =~ a{2000}', 23, 'a repetition up to 1000, the lesser number first in the pattern, found the end'],
    ['attribute:a =~ a{300}', 16, 'no more than 500 steps, repetitions written out in the pattern, found "a{300}"'],
    [
      'attribute:a =~ (((){999}){999}){999}',
      16,
      'no more than 500 steps, repetitions written out in the pattern, found "(((){999}){999}){999…"',
    ],
    [`attribute:a =~ ${'('.repeat(60)}`, 67, `no more than 50 groups in each other in the pattern, found "((((((((("`],
    [`${'!'.repeat(60)}agentConnected exists`, 52, 'at most 50 levels, found "!!!!!!!!!agentConnec…"'],
  ])('%s', (expression, column, expected) => {
    expect(() => checkedQuery(parameterFault, 'filter', expression)).toThrow(
      expect.objectContaining({
        code: 'InvalidParameterException',
        field: 'filter',
        message: `filter, column ${column}: expected ${expected}.`,
      }),
    );
  });

  it('where its patterns are too much together', () => {
    const half = 'attribute:a =~ a{240}';
    expect(() => parseQuery(half)).not.toThrow();
    expect(() => parseQuery(`${half} or ${half}`)).toThrow('no more than');
  });
});
