import { availableParallelism, cpus, loadavg } from 'node:os';

/** A table in Markdown, its columns as wide as they have to be: the first one aligned to the left, all others to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, at) => Math.max(3, ...[head, ...rows].map((row) => row[at]!.length)));
  const padded = (cell: string, at: number): string =>
    at === 0 ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!);
  const line = (row: readonly string[]): string => `| ${row.map(padded).join(' | ')} |`;
  const rules = widths.map((width, at) =>
    at === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  );
  const rule = `| ${rules.join(' | ')} |`;
  return [line(head), rule, ...rows.map(line)].join('\n');
}

/** What the numbers were measured with. The load is that of the minute before. */
export function conditions(redisVersion: string): string {
  const date = new Date().toISOString().slice(0, 10);
  const cpu = cpus()[0]?.model ?? 'unknown processor';
  const load = loadavg()[0]!.toFixed(1);
  const machine = `${availableParallelism()} cores (${cpu}), load ${load}`;
  return `${date}, ${machine}, Node ${process.version}, Redis ${redisVersion}`;
}
