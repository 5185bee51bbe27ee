/** Before any test, whose time is limited, and once, however many processes run them. A global setup of vitest. */
import { guestImage } from './image.ts';

export default function makeImage(): void {
  guestImage((line) => process.stdout.write(`${line}\n`));
}
