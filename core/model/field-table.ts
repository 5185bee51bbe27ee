/** What a table of fields is made of: the classes of a member, and the sentences that several tables share. The tables are in fields.ts. */

/**
 * `honoured`: has its effect. `recorded`: stored and answered, without effect by nature or until something is configured; a warning.
 * `ignored`: as ECS itself ignores it for tasks on EC2 hosts; a warning. `refused`: an error that names the path.
 */
export type FieldClass = 'honoured' | 'recorded' | 'ignored' | 'refused';

export interface Field {
  readonly class: FieldClass;
  /** Honoured: what it does. Recorded, ignored: why it has no effect. Refused: what to do instead. */
  readonly says: string;
}

/** By path: a list's elements are `[]`, as in `containerDefinitions[].memory`. */
export type FieldTable = Readonly<Record<string, Field>>;

export const honoured = (says: string): Field => ({ class: 'honoured', says });
export const recorded = (says: string): Field => ({ class: 'recorded', says });
export const ignored = (says: string): Field => ({ class: 'ignored', says });
export const refused = (says: string): Field => ({ class: 'refused', says });

export const noVolumes = 'Volumes are not supported yet; what a task writes goes with it.';
export const noRole = 'No credentials provider is configured, so containers get no credentials from it.';
export const queryLanguage =
  'Of the cluster query language (docs/placement.md), for example `attribute:stack == prod`.';
