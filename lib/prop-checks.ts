/** Errors about wrong props, raised at synth: each names the prop, the value and the right form. */
import { Token } from 'aws-cdk-lib';
import type { Construct } from 'constructs';

export class PropError extends Error {
  constructor(scope: Construct, prop: string, value: unknown, rightForm: string) {
    super(`${scope.node.path}: ${prop} is ${JSON.stringify(value)}, but must be ${rightForm}.`);
    this.name = 'PropError';
  }
}

interface Range {
  readonly min: number;
  readonly max: number;
  /** For example `seconds`. */
  readonly unit: string;
}

/** Values that are known at deployment only are taken on trust. */
export function checkWholeNumber(scope: Construct, prop: string, value: number, { min, max, unit }: Range): void {
  if (Token.isUnresolved(value) || (Number.isInteger(value) && value >= min && value <= max)) return;
  throw new PropError(scope, prop, value, `a whole number of ${unit} from ${min} to ${max}`);
}

/** As above: what is known at deployment only is taken on trust. */
export function checkText(scope: Construct, prop: string, value: string, pattern: RegExp, rightForm: string): void {
  if (Token.isUnresolved(value) || pattern.test(value)) return;
  throw new PropError(scope, prop, value, rightForm);
}
