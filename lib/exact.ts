/**
 * Classes of aws-cdk-lib declare an optional member of their interface as `T | undefined`; where optional members are exact, as in this
 * repository, the class then does not match its own interface. This says that it does, and still checks every other member.
 */
type Loose<Interface> = { readonly [Member in keyof Interface]: Interface[Member] | undefined };

export function exact<Interface extends object>(made: Loose<Interface>): Interface;
export function exact(made: object): object {
  return made;
}
