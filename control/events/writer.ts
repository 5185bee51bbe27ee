/**
 * Writes events down in one process: those of a change within the commit that makes it, so that there is no change without its events and
 * no event without its change. What an event needs besides is read within the same commit, or remembered.
 */
import type { TaskDefinition } from '../../core/model/task-definition.ts';
import type { ControlDeps } from '../deps.ts';
import type { StateEvent } from '../operations/views/events.ts';
import { eventItem } from '../store/events.ts';
import { hostIdentityIn } from '../store/hosts.ts';
import { isToldOf } from '../store/images.ts';
import type { Follower, Item, ItemChange, ReadItem } from '../store/table.ts';
import { type RevisionReference, revisionBodyIn } from '../store/task-definitions.ts';
import { eventsOfHost, eventsOfTask, noteOf } from './changes.ts';
import { eventsTopic, keptEvent } from './keep.ts';

type Deps = Pick<ControlDeps, 'realm' | 'clock' | 'settings' | 'journal' | 'feed' | 'log' | 'activate'>;

const mostRevisions = 1000;

export function createEventWriter(deps: Deps): Follower {
  const { realm, clock, settings, journal, feed, log, activate } = deps;
  const definitionOf = rememberDefinitions();
  const heard = new Set<string>();

  function eventsOf(change: ItemChange, read: ReadItem, at: number): readonly StateEvent[] {
    const note = noteOf(realm, change, at);
    if ('events' in note) return note.events;
    if ('task' in note) return eventsOfTask(realm, note, definitionOf(note.task, read), at);
    return eventsOfHost(realm, note.host, hostIdentityIn(read, note.host.hostId), at);
  }

  function itemOf(event: StateEvent, at: number): Item {
    heard.add(event.cluster);
    const kept = keptEvent(event, { id: journal.nextId(), at });
    return eventItem(kept, kept.id, settings.retentionSeconds);
  }

  return {
    follows: isToldOf,
    entail(change, read) {
      try {
        const at = clock.now();
        return eventsOf(change, read, at).map((event) => itemOf(event, at));
      } catch (error) {
        const { pk, sk } = change.after ?? change.before ?? {};
        log.error({ err: error, pk, sk }, 'a change cannot be told of');
        return [];
      }
    },
    onWritten() {
      for (const cluster of heard) {
        feed.changed(eventsTopic(cluster));
        activate('deliver-webhooks', cluster);
      }
      heard.clear();
    },
  };
}

/** Revisions never change; the longest known are dropped first. */
function rememberDefinitions() {
  const known = new Map<string, TaskDefinition>();
  return (at: RevisionReference, read: ReadItem): TaskDefinition | undefined => {
    const name = `${at.family}:${at.revision}`;
    const found = known.get(name) ?? revisionBodyIn(read, at);
    const oldest = known.keys().next().value;
    if (known.size >= mostRevisions && oldest !== undefined) known.delete(oldest);
    if (found !== undefined) known.set(name, found);
    return found;
  };
}
