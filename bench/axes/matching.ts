/* Who listens to an event, among few patterns and among many. */
import { SubscriptionIndex } from '../../lib/connections/subscription-index.js';
import { patternsMatching } from '../../lib/protocol/pattern.js';
import type { Section } from '../report/figures.js';
import { inTurn } from '../support/rounds.js';
import { type Ratio, ratioOf } from '../support/ratio.js';
import { median, medianAndLeast } from '../support/statistics.js';
import type { Scale } from './axis.js';

const COUNTS = [10, 1_000, 100_000];
const MATCHES = 200_000;

/** Names that are asked for in turn. */
interface Names {
  readonly title: string;
  readonly names: readonly string[];
}

/** What is pushed all the time. Someone listens to each, by its name and by a pattern of its service. */
const FEW: Names = {
  title: 'nine names in turn',
  names: Array.from({ length: 9 }, (_, at) => `billing:invoice.item${at}.changed`),
};

/** More than are remembered, all over the largest index: neither the patterns of a name nor the entries are at hand. */
const MANY: Names = {
  title: '10 000 names in turn',
  names: Array.from({ length: 10_000 }, (_, at) => otherName(at * 10)),
};

type Index = SubscriptionIndex<object>;

export async function run({ rounds }: Scale): Promise<Section> {
  const indices = COUNTS.map(indexWith);
  const nanos = new Map<Names, number[][]>();
  for (const names of [FEW, MANY]) {
    for (const [at, index] of indices.entries()) {
      requireFound(index, names, COUNTS[at]!);
      measureMatch(index, names);
    }
    const figures = await inTurn(2 * rounds, indices, async (index) => measureMatch(index, names));
    nanos.set(
      names,
      indices.map((index) => figures.get(index)!),
    );
  }
  const ratio = (names: Names, at: number): Ratio => {
    const own = nanos.get(names)!;
    return ratioOf(own[at]!, own[0]!);
  };
  return {
    title: 'Matching',
    text:
      'Finding the subscribers of an event, in nanoseconds: median (least), and the ratio to ten patterns; LoopWs alone, in ' +
      'this process. Nine names: one subscriber holds the full name, and another one a pattern of its service; they are the ' +
      'names that are remembered. 10 000 names, the same for each index: more than are remembered; one subscriber holds the ' +
      'full name where the index has it, otherwise nobody does, which costs less.',
    tables: [
      {
        title: 'Nanoseconds per event',
        head: ['distinct patterns', FEW.title, 'ratio', MANY.title, 'ratio'],
        rows: COUNTS.map((count, at) => [
          `${count}`,
          ...[FEW, MANY].flatMap((names) => [
            medianAndLeast(nanos.get(names)![at]!, 0),
            ratio(names, at).figure.toFixed(2),
          ]),
        ]),
      },
    ],
    charts: [
      {
        title: 'Finding the subscribers of an event',
        unit: 'ns',
        groups: COUNTS.map((count) => `${count} patterns`),
        series: [FEW, MANY].map((names) => ({
          name: names.title,
          values: nanos.get(names)!.map((own) => median(own)),
        })),
      },
    ],
    verdicts: [
      {
        what: `match, 100 000 patterns against 10, ${FEW.title}`,
        ...ratio(FEW, COUNTS.length - 1),
        limit: 1.2,
        isGuarded: true,
      },
      {
        what: 'match, names that are remembered, of others',
        ...ratioOf(nanos.get(FEW)![0]!, nanos.get(MANY)![0]!),
        limit: 0.02,
        isGuarded: true,
      },
    ],
  };
}

function otherName(at: number): string {
  return `service${at % 50}:thing.x${at}`;
}

function patternsOf(count: number): string[] {
  const patterns = ['billing:*', ...FEW.names];
  for (let at = 0; patterns.length < count; at++) patterns.push(otherName(at));
  return patterns;
}

function indexWith(count: number): Index {
  const index = new SubscriptionIndex<object>();
  for (const pattern of patternsOf(count)) index.add(pattern, {});
  return index;
}

/** A search that finds nobody would be fast. */
function requireFound(index: Index, { names }: Names, count: number): void {
  const found = names.reduce((sum, name) => sum + index.subscribersOf(name).size, 0);
  const held = new Set(patternsOf(count));
  const expected = names.flatMap((name) => patternsMatching(name)).filter((one) => held.has(one));
  if (found !== expected.length) throw new Error(`${found} subscribers, not ${expected.length}.`);
}

/** In nanoseconds. What is found is counted, or the compiler might leave the search out. */
function measureMatch(index: Index, { names }: Names): number {
  const began = process.hrtime.bigint();
  let found = 0;
  for (let n = 0; n < MATCHES; n++) found += index.subscribersOf(names[n % names.length]!).size;
  const nanos = Number(process.hrtime.bigint() - began);
  if (!Number.isInteger(found)) throw new Error('What was found cannot be counted.');
  return nanos / MATCHES;
}
