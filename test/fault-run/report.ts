import type { FindingKind } from '../../lib/testing/index.js';
import type { StageResult } from './stage.js';

const KINDS: readonly [FindingKind, string][] = [
  ['lost', 'silent losses'],
  ['doubled', 'doubles'],
  ['reordered', 'reorders'],
  ['unexplained', 'unexplained events'],
];

/** What happened, as a table. */
export function reportOf(results: readonly StageResult[]): string {
  const sum = (of: (result: StageResult) => number): number =>
    results.reduce((total, result) => total + of(result), 0);
  const causes = new Map<string, number>();
  for (const [cause, count] of results.flatMap((result) => [...result.resetCauses.counts])) {
    causes.set(cause, (causes.get(cause) ?? 0) + count);
  }
  const found = (kind: FindingKind): number =>
    sum(({ verdict }) => verdict.findings.filter((finding) => finding.kind === kind).length);
  const rows: [string, number][] = [
    ['faults', sum(({ spans }) => spans.length)],
    ['pushes', sum(({ published }) => published)],
    ['  of unknown outcome', sum(({ unknown }) => unknown)],
    ['deliveries', sum(({ verdict }) => verdict.deliveries)],
    ['resumes', sum(({ verdict }) => verdict.resumes)],
    ['resets', sum(({ verdict }) => verdict.resets)],
    ...[...causes].map(([cause, count]): [string, number] => [`  ${cause}`, count]),
    ['  without a cause', sum(({ resetCauses }) => resetCauses.strange.length)],
    ...KINDS.map(([kind, title]): [string, number] => [title, found(kind)]),
  ];
  return rows
    .map(([title, value]) => `${title.padEnd(32)} ${String(value).padStart(9)}`)
    .join('\n');
}

/** Empty when the promises were kept. */
export function failuresIn(results: readonly StageResult[]): string[] {
  return results.flatMap(({ verdict, resetCauses }) => [
    ...verdict.findings.map(({ place }) => place),
    ...resetCauses.strange,
    ...(verdict.deliveries === 0 ? ['Nothing was delivered: the run proves nothing.'] : []),
  ]);
}
