/** Tags of what is described: only where they are asked for, as ECS has it. Pure. */

/** What `include` of a Describe operation asks for. */
export const withTags = <T extends { readonly tags: readonly unknown[] }>(
  view: T,
  include: readonly string[] | undefined,
): T => (include?.includes('TAGS') === true ? view : { ...view, tags: [] });
