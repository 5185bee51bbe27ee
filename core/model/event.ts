/** The kinds of events, and what EventBridge calls each: ECS' own names where ECS has the event, ours where it has none. */

export const detailTypes = {
  task: 'ECS Task State Change',
  host: 'ECS Container Instance State Change',
  /** A task that no host takes now, and that waits for one. */
  waiting: 'Gantry Task Waiting',
  /** A call that placed less than it asked for, or nothing. */
  refusal: 'Gantry Placement Refused',
  capacity: 'Gantry Capacity Change',
  drain: 'Gantry Host Drain',
} as const;

export type EventKind = keyof typeof detailTypes;
export type DetailType = (typeof detailTypes)[EventKind];

export const eventKinds = Object.keys(detailTypes) as [EventKind, ...EventKind[]];

/** Undefined where it is none of ours. */
export const kindOf = (detailType: string): EventKind | undefined =>
  eventKinds.find((kind) => detailTypes[kind] === detailType);
