import { expect, it } from 'vitest';
import { parseChallenges } from '../../../agent/images/challenge.ts';

it.each([
  [
    'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/busybox:pull"',
    [
      {
        scheme: 'bearer',
        parameters: {
          realm: 'https://auth.docker.io/token',
          service: 'registry.docker.io',
          scope: 'repository:library/busybox:pull',
        },
      },
    ],
  ],
  [
    'Basic realm="a, b", Bearer realm="r",error=insufficient_scope',
    [
      { scheme: 'basic', parameters: { realm: 'a, b' } },
      { scheme: 'bearer', parameters: { realm: 'r', error: 'insufficient_scope' } },
    ],
  ],
  ['BASIC Realm = "say \\"hi\\""', [{ scheme: 'basic', parameters: { realm: 'say "hi"' } }]],
  ['Negotiate', [{ scheme: 'negotiate', parameters: {} }]],
  ['', []],
  ['"', []],
])('parseChallenges understands %s', (header, expected) => {
  expect(parseChallenges(header)).toEqual(expected);
});
