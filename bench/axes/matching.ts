/* Who listens to an event, among few patterns and among many. */
import { SubscriptionIndex } from '../../lib/connections/subscription-index.js';
import type { Section } from '../report/figures.js';
import { inTurn } from '../support/rounds.js';
import { median, medianAndLeast } from '../support/statistics.js';
import type { Scale } from './axis.js';

const COUNTS = [10, 1_000, 100_000];
const MATCHES = 200_000;
/** Names that are asked for in turn, in every index the same. */
const NAMES = Array.from({ length: 10 }, (_, at) => `billing:invoice.item${at}.changed`);

export async function run({ rounds }: Scale): Promise<Section> {
  const indices = COUNTS.map(indexWith);
  for (const index of indices) nanosPerMatch(index);
  const figures = await inTurn(2 * rounds, indices, async (index) => nanosPerMatch(index));
  const nanos = indices.map((index) => figures.get(index)!);
  return {
    title: 'Matching',
    text:
      'Finding the subscribers of an event, in nanoseconds: median (least). Each index holds that many distinct patterns; ' +
      'of each event one subscriber holds the full name, and another one a pattern of its service.',
    tables: [
      {
        title: 'Nanoseconds per event',
        head: ['distinct patterns', 'ns', 'ratio'],
        rows: COUNTS.map((count, at) => [
          `${count}`,
          medianAndLeast(nanos[at]!, 0),
          (median(nanos[at]!) / median(nanos[0]!)).toFixed(2),
        ]),
      },
    ],
    charts: [],
    verdicts: [
      {
        what: 'match, 100 000 patterns against 10',
        figure: median(nanos.at(-1)!) / median(nanos[0]!),
        limit: 1.2,
      },
    ],
  };
}

function indexWith(count: number): SubscriptionIndex<object> {
  const index = new SubscriptionIndex<object>();
  for (const name of NAMES) index.add(name, {});
  index.add('billing:*', {});
  for (let at = NAMES.length; at < count; at++) index.add(`service${at % 50}:thing.x${at}`, {});
  return index;
}

function nanosPerMatch(index: SubscriptionIndex<object>): number {
  const began = process.hrtime.bigint();
  let found = 0;
  for (let n = 0; n < MATCHES; n++) found += index.subscribersOf(NAMES[n % NAMES.length]!).size;
  const nanos = Number(process.hrtime.bigint() - began);
  if (found !== 2 * MATCHES) throw new Error(`${found} subscribers were found.`);
  return nanos / MATCHES;
}
