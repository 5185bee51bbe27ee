import { describe, expect, it } from 'vitest';
import { digestName, parseReference } from '../../../agent/images/reference.ts';
import { RuntimeFailure } from '../../../agent/runtime.ts';

const digest = `sha256:${'ab'.repeat(32)}`;

describe('parseReference', () => {
  it.each([
    ['busybox', 'docker.io/library/busybox:latest'],
    ['busybox:1.36', 'docker.io/library/busybox:1.36'],
    ['docker.io/busybox', 'docker.io/library/busybox:latest'],
    ['index.docker.io/team/app', 'docker.io/team/app:latest'],
    ['team/app', 'docker.io/team/app:latest'],
    ['ghcr.io/team/app:v1.2_3-4', 'ghcr.io/team/app:v1.2_3-4'],
    ['localhost/app', 'localhost/app:latest'],
    ['localhost:5000/app', 'localhost:5000/app:latest'],
    ['127.0.0.1:5000/team/app:1', '127.0.0.1:5000/team/app:1'],
    ['[::1]:5000/app', '[::1]:5000/app:latest'],
    ['registry:5000/a/b/c', 'registry:5000/a/b/c:latest'],
    [`busybox@${digest}`, `docker.io/library/busybox@${digest}`],
    [`ghcr.io/team/app:1@${digest}`, `ghcr.io/team/app:1@${digest}`],
    ['123456789012.dkr.ecr.us-east-1.amazonaws.com/app:1', '123456789012.dkr.ecr.us-east-1.amazonaws.com/app:1'],
  ])('completes %s', (written, name) => {
    expect(parseReference(written)).toMatchObject({ original: written, name });
  });

  it('takes host, repository, tag and digest apart', () => {
    expect(parseReference(`localhost:5000/team/app:1@${digest}`)).toMatchObject({
      host: 'localhost:5000',
      repository: 'team/app',
      tag: '1',
      digest,
    });
    expect(parseReference(`busybox@${digest}`).tag).toBeUndefined();
  });

  it.each([
    ['', 'names no repository'],
    ['localhost:5000/', 'names no repository'],
    ['ghcr.io/Team/app', '"Team" holds capital letters'],
    ['team//app', 'a part of its path is empty'],
    ['team/app/', 'a part of its path is empty'],
    ['team/-app', '"-app" may hold only'],
    ['app:', '"" is not a tag'],
    ['app:a/b', '"app:a" '],
    [`app:${'t'.repeat(129)}`, 'is not a tag'],
    ['app@sha256:abc', '"sha256:abc" is not a digest'],
    [`app@${digest}@${digest}`, 'more than one "@"'],
    ['bad_host.io:x/app', '"bad_host.io:x" is not a registry\'s host name'],
    [`ghcr.io/${'a'.repeat(256)}`, 'longer than 255'],
    ['app\n', 'may hold only'],
  ])('refuses %j: %s', (written, why) => {
    expect(() => parseReference(written)).toThrow(RuntimeFailure);
    expect(() => parseReference(written)).toThrow(why);
    expect(() => parseReference(written)).toThrow(`"${written}"`);
  });
});

describe('digestName', () => {
  it('names exactly one manifest, whatever the tag', () => {
    expect(digestName(parseReference('busybox:1'), digest)).toBe(`docker.io/library/busybox@${digest}`);
  });
});
