/** One way of choosing hosts for alike tasks, one after the other, each choice entered in the draft at once. */
export interface Chooser {
  /** The next task's host and why it was taken; undefined once no host fits any more (all were looked at). */
  choose(): { readonly index: number; readonly why: string } | undefined;
}
