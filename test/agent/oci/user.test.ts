import { describe, expect, it } from 'vitest';
import { resolveUser } from '../../../agent/oci/user.ts';

const files = {
  passwd: async () =>
    'root:x:0:0:root:/root:/bin/sh\n# comment\nweb:x:101:102::/srv:/bin/false\n1000:x:7:8::/:/bin/sh\n',
  group: async () => 'root:x:0:\nweb:x:102:\nlogs:x:200:web,other\nwheel:x:10:root\n',
};
const empty = { passwd: async () => undefined, group: async () => undefined };

describe('a user', () => {
  it.each([
    ['', { uid: 0, gid: 0, additionalGids: [] }],
    ['root', { uid: 0, gid: 0, additionalGids: [10] }],
    ['web', { uid: 101, gid: 102, additionalGids: [200] }],
    ['101', { uid: 101, gid: 102, additionalGids: [200] }],
    ['web:logs', { uid: 101, gid: 200, additionalGids: [] }],
    ['web:55', { uid: 101, gid: 55, additionalGids: [] }],
    ['5000', { uid: 5000, gid: 0, additionalGids: [] }],
    ['1000', { uid: 7, gid: 8, additionalGids: [] }],
    ['5000:6000', { uid: 5000, gid: 6000, additionalGids: [] }],
  ])('%j is %j', async (user, expected) => {
    expect(await resolveUser(user, files)).toEqual(expected);
  });

  it('may be a number where the image has no accounts at all', async () => {
    expect(await resolveUser('12', empty)).toEqual({ uid: 12, gid: 0, additionalGids: [] });
  });

  it.each([
    ['nobody', /user "nobody" is not in the image's \/etc\/passwd/],
    ['web:nogroup', /group "nogroup" is not in the image's \/etc\/group/],
    ['4294967295', /ids from 0 to/],
    ['1:99999999999', /ids from 0 to/],
  ])('%s is refused with a sentence', async (user, sentence) => {
    await expect(resolveUser(user, files)).rejects.toThrow(sentence);
  });
});
