import { table } from '../support/report.js';
import { median, medianAndLeast } from '../support/statistics.js';
import { costPerPush, type Window } from './bench-cluster.js';
import type { ProcessUsage } from './targeted-process.js';

type LoadName = 'onePerTurn' | 'burst';

/** One round of one cluster. */
export type Round = Readonly<Record<LoadName | 'idle', Window>>;

/** The rounds by the number of servers, the smallest first. */
export type Rounds = ReadonlyMap<number, readonly Round[]>;

type Cost = 'redisMicros' | 'commands' | 'bytesOut' | 'publisherMicros';

function perServerSecond({ idle }: Round, size: number, cost: Cost): number {
  return (idle[cost] / idle.ms / size) * 1_000;
}

export function pushTable(rounds: Rounds, load: LoadName): string {
  const [smallest] = rounds.values();
  const rows = [...rounds].map(([size, own]) => {
    const of = (cost: Cost, from = own): number[] =>
      from.map((round) => costPerPush(round[load], round.idle, cost));
    const ratio = (cost: Cost): string =>
      (median(of(cost)) / median(of(cost, smallest))).toFixed(2);
    return [
      `${size}`,
      medianAndLeast(of('redisMicros'), 1),
      ratio('redisMicros'),
      medianAndLeast(of('bytesOut'), 0),
      ratio('bytesOut'),
      medianAndLeast(of('commands'), 2),
      medianAndLeast(of('publisherMicros'), 0),
    ];
  });
  const head = ['servers', 'Redis µs', 'ratio', 'bytes out', 'ratio', 'commands', 'publisher µs'];
  return table(head, rows);
}

/** Per server and second. */
export function idleTable(rounds: Rounds): string {
  const rows = [...rounds].map(([size, own]) => {
    const of = (cost: Cost): number[] => own.map((round) => perServerSecond(round, size, cost));
    const percent = own.map(({ idle }) => idle.redisMicros / idle.ms / 10);
    return [
      `${size}`,
      medianAndLeast(of('redisMicros'), 0),
      medianAndLeast(of('commands'), 1),
      medianAndLeast(of('bytesOut'), 0),
      medianAndLeast(percent, 2),
    ];
  });
  const head = ['servers', 'Redis µs', 'commands', 'bytes out', 'whole cluster: % of a core'];
  return table(head, rows);
}

/** Per second. */
export function bystanderTable(usages: readonly [string, readonly ProcessUsage[]][]): string {
  const cells = usages.map(([name, own]) => [
    name,
    medianAndLeast(
      own.map(({ cpuMicros }) => cpuMicros / 1_000),
      2,
    ),
    medianAndLeast(
      own.map(({ messages }) => messages),
      2,
    ),
    medianAndLeast(
      own.map(({ bytes }) => bytes),
      0,
    ),
  ]);
  return table(['meanwhile', 'CPU ms', 'messages', 'bytes in'], cells);
}
