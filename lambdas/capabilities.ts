/** What this platform lacks of what one machine has, and what to do instead: the only list of it. */
import type { HostImageSource, HostStatsSource, LogSource } from '../control/deps.ts';
import type { StreamRefusals } from '../control/http/streams.ts';
import { GantryError } from '../core/errors.ts';

/** What one machine can do that takes a stream from the control plane to its client, or from a host to the control plane. */
export type Capability =
  | 'watch stream'
  | 'event stream'
  | 'live logs'
  | 'images of hosts'
  | 'statistics of containers'
  | 'progress of pulls';

export const lacking: readonly Capability[] = [
  'watch stream',
  'event stream',
  'live logs',
  'images of hosts',
  'statistics of containers',
  'progress of pulls',
];

const lacks = (what: string, instead: string): GantryError =>
  new GantryError('UnsupportedFeatureException', `${what} behind API Gateway, which answers whole or not at all.`, {
    hint: instead,
  });

const liveLogs = lacks(
  'There are no live logs',
  "The last lines of each container are in GetTask once it has stopped; the whole log is on the task's host.",
);

export const refusals: StreamRefusals = {
  watch: lacks('There is no watch stream', 'Ask GetTask with wait=changed and the version last seen, again and again.'),
  logs: liveLogs,
  events: lacks('There is no stream of events', 'Ask ListEvents with `after` and `timeout`, again and again.'),
};

/** No host has a channel here, so neither logs nor what hosts say of images and containers nor the progress of pulls arrive. */
export const unsupportedLogs: LogSource = {
  open: () => {
    throw liveLogs;
  },
};

export const unsupportedImages: HostImageSource = {
  images: () => {
    throw lacks('Hosts cannot be asked for their images', 'GetTasks has the image and the digest of every container.');
  },
};

export const unsupportedStats: HostStatsSource = {
  stats: () => {
    throw lacks(
      'Hosts cannot be asked what their containers use',
      "A container reads its own and its task's from ECS_CONTAINER_METADATA_URI_V4; collectors beside it can hand them on.",
    );
  },
};
