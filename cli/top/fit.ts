/** Sections of lines in as many rows as a terminal has: each is cut where there is no room, and says how much is missing. Pure. */

export interface Section {
  readonly title: string;
  /** A heading of columns, which is not counted among the lines. */
  readonly heading?: string;
  readonly lines: readonly string[];
}

/** Those without lines are left out; where there is no room for all, the first ones are shown. */
export function fitted(sections: readonly Section[], rows: number): string[] {
  const wanted = sections.filter(({ lines }) => lines.length > 0);
  const shown: { readonly section: Section; lines: number }[] = [];
  let left = rows;
  for (const section of wanted) {
    const least = frameOf(section) + 1;
    if (least > left) break;
    left -= least;
    shown.push({ section, lines: 1 });
  }
  // A line more to each in turn, so that a long one does not push out the others.
  for (let given = true; given && left > 0; ) {
    given = false;
    for (const one of shown) {
      if (left === 0 || one.lines >= one.section.lines.length) continue;
      one.lines += 1;
      left -= 1;
      given = true;
    }
  }
  return shown.flatMap(({ section, lines }) => render(section, lines));
}

/** An empty line, the title, and the heading. */
const frameOf = ({ heading }: Section): number => (heading === undefined ? 2 : 3);

function render({ title, heading, lines }: Section, room: number): string[] {
  const frame = ['', title, ...(heading === undefined ? [] : [heading])];
  if (lines.length <= room) return [...frame, ...lines];
  return [...frame, ...lines.slice(0, room - 1), `  … and ${lines.length - room + 1} more`];
}
