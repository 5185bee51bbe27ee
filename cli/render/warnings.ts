/** What was recorded or ignored of a request, and why. */
import type { Output } from '../output.ts';

export function noteWarnings(warnings: readonly string[], out: Output): void {
  for (const warning of warnings) out.note(`${out.paint('yellow', 'Warning:')} ${warning}`);
}
