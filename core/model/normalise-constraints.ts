/** Placement constraints as a caller writes them, of RunTask and of a task definition: ECS' limits, and expressions that can be read. */
import { checkedQuery } from '../query/host-query.ts';
import { checkLength, type Refuse } from './faults.ts';
import type { MemberOf, PlacementConstraint } from './placement-constraint.ts';

type Wish = { readonly type?: string | undefined; readonly expression?: string | undefined };

const mostConstraints = 10;

/** Throws on the first that is wrong, naming its member. */
export const normaliseConstraints = (refuse: Refuse, wishes: readonly Wish[]): PlacementConstraint[] =>
  eachOf(refuse, wishes, ({ type, expression }, field) => {
    if (type === 'memberOf') return memberOf(refuse, expression, field);
    if (type !== 'distinctInstance')
      throw refuse(`${field}.type`, `${field}.type must be distinctInstance or memberOf; it is "${type ?? ''}".`);
    if (expression !== undefined && expression !== '')
      throw refuse(`${field}.expression`, 'distinctInstance expression should not be specified.');
    return { type };
  });

/** Of a task definition, which knows no group. */
export const normaliseDefinitionConstraints = (refuse: Refuse, wishes: readonly Wish[]): MemberOf[] =>
  eachOf(refuse, wishes, ({ type, expression }, field) => {
    if (type === 'memberOf') return memberOf(refuse, expression, field);
    throw refuse(
      `${field}.type`,
      `${field}.type must be memberOf; it is "${type ?? ''}".`,
      'A task definition takes memberOf alone; distinctInstance is for RunTask to name.',
    );
  });

function eachOf<T>(refuse: Refuse, wishes: readonly Wish[], one: (wish: Wish, field: string) => T): T[] {
  checkLength(refuse, 'placementConstraints', wishes, [0, mostConstraints]);
  return wishes.map((wish, index) => one(wish, `placementConstraints[${index}]`));
}

function memberOf(refuse: Refuse, expression: string | undefined, field: string): MemberOf {
  if (expression === undefined || expression === '')
    throw refuse(`${field}.expression`, `${field}.expression must be given with memberOf.`);
  checkedQuery(refuse, `${field}.expression`, expression);
  return { type: 'memberOf', expression };
}
