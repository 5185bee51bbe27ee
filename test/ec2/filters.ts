/** EC2's `Filter.N`: values of one filter are alternatives, filters must all match, `*` and `?` are wildcards. */
import type { Filter } from '@aws-sdk/client-ec2';
import { Ec2Error } from './errors.ts';

/** What a thing shows to each filter that there is for its kind: one text, several, or none. */
export type Facets<T> = Readonly<Record<string, (thing: T) => string | undefined | readonly string[]>>;

const maxValues = 200;

/** @param tags of a thing, where its kind has any */
export function filtered<T>(
  things: readonly T[],
  filters: readonly Filter[] | undefined,
  facets: Facets<T>,
  tags?: (thing: T) => Readonly<Record<string, string>>,
): T[] {
  const wanted = (filters ?? []).map((filter) => {
    const { name, patterns } = checked(filter);
    return { patterns, valuesOf: facetNamed(name, facets, tags) };
  });
  return things.filter((thing) =>
    wanted.every(({ patterns, valuesOf }) => {
      const values = valuesOf(thing);
      const texts = typeof values === 'string' ? [values] : (values ?? []);
      return texts.some((text) => patterns.some((pattern) => pattern.test(text)));
    }),
  );
}

function facetNamed<T>(
  name: string,
  facets: Facets<T>,
  tags: ((thing: T) => Readonly<Record<string, string>>) | undefined,
): Facets<T>[string] {
  if (tags !== undefined && name.startsWith('tag:')) return (thing) => tags(thing)[name.slice('tag:'.length)];
  if (tags !== undefined && name === 'tag-key') return (thing) => Object.keys(tags(thing));
  const facet = facets[name];
  if (facet === undefined) throw new Ec2Error('InvalidParameterValue', `The filter '${name}' is invalid`);
  return facet;
}

function checked({ Name, Values }: Filter): { name: string; patterns: RegExp[] } {
  if (Name === undefined) throw new Ec2Error('MissingParameter', 'The request must contain the parameter Filter.Name');
  if (Values === undefined || Values.length === 0) {
    throw new Ec2Error('InvalidParameterValue', `The filter '${Name}' has no values`);
  }
  if (Values.length > maxValues) {
    throw new Ec2Error(
      'FilterLimitExceeded',
      `The maximum number of filter values specified on a single call is ${maxValues}`,
    );
  }
  return { name: Name, patterns: Values.map(patternOf) };
}

function patternOf(value: string): RegExp {
  const literal = value.replaceAll(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${literal.replaceAll('*', '.*').replaceAll('?', '.')}$`, 's');
}
