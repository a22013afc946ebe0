import type { FindingKind, Verdict } from '../../lib/testing/index.js';
import type { StageResult } from './stage.js';

const KINDS: readonly [FindingKind, string][] = [
  ['lost', 'silent losses'],
  ['doubled', 'doubles'],
  ['reordered', 'reorders'],
  ['late', 'late events'],
  ['unexplained', 'unexplained events'],
];

/** That are told in words. */
const MOST_OF_A_KIND = 10;

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
  const lostWrites = sum(({ losses }) => losses.flatMap((loss) => loss.lostWrites ?? []).length);
  const rows: [string, number][] = [
    ['faults', sum(({ spans }) => spans.length)],
    ['pushes', sum(({ published }) => published)],
    ['  of unknown outcome', sum(({ unknown }) => unknown)],
    ['  confirmed, lost in a failover', lostWrites],
    ['deliveries', sum(({ verdict }) => verdict.deliveries)],
    ['resumes', sum(({ verdict }) => verdict.resumes)],
    ['resets', sum(({ verdict }) => verdict.resets)],
    ...[...causes].map(([cause, count]): [string, number] => [`  ${cause}`, count]),
    ['  without a cause', sum(({ resetCauses }) => resetCauses.strange.length)],
    ['losses not told', sum(({ resetCauses }) => resetCauses.unreported.length)],
    ...KINDS.map(([kind, title]): [string, number] => [title, found(kind)]),
    ['longest lag of the clients, ms', Math.max(...results.map(({ longestLag }) => longestLag))],
  ];
  return rows
    .map(([title, value]) => `${title.padEnd(32)} ${String(value).padStart(9)}`)
    .join('\n');
}

function placesOf({ findings }: Verdict, kind: FindingKind): string[] {
  const ofKind = findings.filter((finding) => finding.kind === kind);
  return ofKind.slice(0, MOST_OF_A_KIND).map(({ place }) => place);
}

/** In words, not too many. Empty when the promises were kept. */
export function failuresIn(results: readonly StageResult[]): string[] {
  return results.flatMap(({ title, verdict, resetCauses, losses }) => [
    ...KINDS.flatMap(([kind]) => placesOf(verdict, kind)),
    ...resetCauses.strange.slice(0, MOST_OF_A_KIND),
    ...resetCauses.unreported.slice(0, MOST_OF_A_KIND),
    ...losses
      .filter(({ lostWrites }) => lostWrites?.length === 0)
      .map(({ kind }) => `${title}: ${kind}: no write that was confirmed was lost.`),
    ...(verdict.deliveries === 0
      ? [`${title}: nothing was delivered: the run proves nothing.`]
      : []),
  ]);
}
