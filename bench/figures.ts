/** The figures that bench/README.md keeps: one section a bench, between two markers that name it. Changes nothing else of the file. */
import { readFileSync, writeFileSync } from 'node:fs';
import { arch, availableParallelism, cpus, release, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';

const readme = fileURLToPath(new URL('README.md', import.meta.url));

/** Throws an Error where the file has no section of this name. */
export function writeFigures(bench: string, text: string): void {
  const [begin, end] = [`<!-- figures of ${bench}: begin -->`, `<!-- figures of ${bench}: end -->`];
  const content = readFileSync(readme, 'utf8');
  const [before, rest] = content.split(begin);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) throw new Error(`${readme} has no line "${begin}" or no "${end}"`);
  writeFileSync(readme, `${before}${begin}\n${text}\n${end}${after}`);
}

/** What the figures depend on, in a line. */
export function machineLine(): string {
  const memoryGib = Math.round(totalmem() / 1024 ** 3);
  const processor = cpus()[0]?.model.trim() ?? 'unknown processor';
  return `${availableParallelism()} cores (${processor}, ${arch()}), ${memoryGib} GiB, Linux ${release()}, Node ${process.versions.node}`;
}
