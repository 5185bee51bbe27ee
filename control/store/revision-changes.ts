/** How revisions come, change and go. Apart from task-definitions.ts because whoever runs tasks needs none of it. */
import type { TaskDefinition, TaskDefinitionStatus } from '../../core/model/task-definition.ts';
import { itemOf } from './item.ts';
import { keys } from './keys.ts';
import type { Change, Item, Path } from './table.ts';
import { counterOf, type RevisionReference, type RevisionStatus } from './task-definitions.ts';

/**
 * Everything that makes `body.revision` exist, on the condition that `body.revision - 1` is still the last one given out. The
 * counter is the first change: where it is refused, `refusedCounter` tells the newer number.
 */
export function registerRevision(body: TaskDefinition, status: RevisionStatus): Change[] {
  const { family, revision } = body;
  const reference = { family, revision };
  return [
    {
      kind: 'put',
      item: itemOf(keys.familyCounter(family), { last: revision }),
      when: revision === 1 ? [{ item: 'absent' }] : [{ path: ['last'], is: '=', value: revision - 1 }],
    },
    { kind: 'put', item: itemOf(keys.revisionBody(family, revision), body), when: [{ item: 'absent' }] },
    { kind: 'put', item: itemOf(keys.revisionStatus(family, revision), status), when: [{ item: 'absent' }] },
    { kind: 'put', item: itemOf(keys.revisionActive(family, revision), reference), when: [{ item: 'absent' }] },
    { kind: 'put', item: itemOf(keys.revisionListing('ACTIVE', family, revision), reference), when: [] },
  ];
}

/**
 * A revision that is known from elsewhere and is not registered here: INACTIVE, and its number is never given out. Refused where the family
 * has got another last number than `last` (0: none), or the revision.
 */
export function recordRevision(body: TaskDefinition, last: number, at: number): Change[] {
  const { family, revision } = body;
  const status: RevisionStatus = { status: 'INACTIVE', tags: [], deregisteredAt: at };
  return [
    {
      kind: 'put',
      item: itemOf(keys.familyCounter(family), { last: Math.max(last, revision) }),
      when: last === 0 ? [{ item: 'absent' }] : [{ path: ['last'], is: '=', value: last }],
    },
    { kind: 'put', item: itemOf(keys.revisionBody(family, revision), body), when: [{ item: 'absent' }] },
    { kind: 'put', item: itemOf(keys.revisionStatus(family, revision), status), when: [{ item: 'absent' }] },
    { kind: 'put', item: itemOf(keys.revisionListing('INACTIVE', family, revision), { family, revision }), when: [] },
  ];
}

/** The family's newer last revision, from a refused `registerRevision`. */
export function refusedCounter(
  failed: readonly { readonly index: number; readonly item?: Item }[],
): number | undefined {
  const counter = failed.find(({ index }) => index === 0)?.item;
  return counter === undefined ? undefined : counterOf(counter);
}

/** ACTIVE to INACTIVE, on the condition that it is ACTIVE. */
export const deregisterRevision = (at: RevisionReference, deregisteredAt: number): Change[] => [
  ...moveRevision(at, ['ACTIVE', 'INACTIVE'], { path: ['deregisteredAt'], value: deregisteredAt }),
  { kind: 'delete', key: keys.revisionActive(at.family, at.revision), when: [] },
];

/** INACTIVE to DELETE_IN_PROGRESS, on the condition that it is INACTIVE. */
export const beginDeletion = (at: RevisionReference, deleteRequestedAt: number): Change[] =>
  moveRevision(at, ['INACTIVE', 'DELETE_IN_PROGRESS'], { path: ['deleteRequestedAt'], value: deleteRequestedAt });

/** Leaves the tags alone, which others may be changing. */
function moveRevision(
  { family, revision }: RevisionReference,
  [from, to]: readonly [TaskDefinitionStatus, TaskDefinitionStatus],
  when: { readonly path: Path; readonly value: number },
): Change[] {
  return [
    {
      kind: 'update',
      key: keys.revisionStatus(family, revision),
      set: [{ path: ['status'], value: to }, when],
      when: [{ path: ['status'], is: '=', value: from }],
    },
    { kind: 'delete', key: keys.revisionListing(from, family, revision), when: [] },
    { kind: 'put', item: itemOf(keys.revisionListing(to, family, revision), { family, revision }), when: [] },
  ];
}

/** Leaves the status alone, which others may be changing. */
export const setRevisionTags = (at: RevisionReference, seen: RevisionStatus, tags: RevisionStatus['tags']): Change => ({
  kind: 'update',
  key: keys.revisionStatus(at.family, at.revision),
  set: [
    { path: ['tags'], value: tags },
    { path: ['tagsVersion'], value: (seen.tagsVersion ?? 0) + 1 },
  ],
  when: [
    seen.tagsVersion === undefined
      ? { path: ['tagsVersion'], is: 'absent' }
      : { path: ['tagsVersion'], is: '=', value: seen.tagsVersion },
  ],
});

/**
 * The end of a revision that is DELETE_IN_PROGRESS. Its body is kept until `bodyExpiresAt` (epoch seconds): tasks that have stopped are
 * still told of. Its number is never given out again.
 */
export const endDeletion = (body: TaskDefinition, bodyExpiresAt: number): Change[] => [
  {
    kind: 'delete',
    key: keys.revisionStatus(body.family, body.revision),
    when: [{ path: ['status'], is: '=', value: 'DELETE_IN_PROGRESS' }],
  },
  { kind: 'delete', key: keys.revisionListing('DELETE_IN_PROGRESS', body.family, body.revision), when: [] },
  {
    kind: 'put',
    item: itemOf(keys.revisionBody(body.family, body.revision), body, { expiresAt: bodyExpiresAt }),
    when: [],
  },
];
