import { describe, expect, it } from '@jest/globals';
import { SharedReads } from '../../../lib/bus/shared-reads.js';
import type { DurableTopics } from '../../../lib/history/durable-topics.js';
import type { Topic } from '../../../lib/transport/topic.js';
import type { PlacedPush } from '../../../lib/transport/topic-history.js';

const LARGE = 9_000;

/** Reads of histories in which so many events follow every position, with the names of the topics that were read. */
function reads(count: number): { shared: SharedReads; read: string[] } {
  const read: string[] = [];
  const history = {
    since: async (topic: Topic, { n }: { readonly n: number }) => {
      read.push(topic.name);
      return Array.from(
        { length: count },
        (_, at) => ({ place: { position: { n: n + at + 1, id: 'x' } } }) as PlacedPush,
      );
    },
  };
  return { shared: new SharedReads({ history } as unknown as DurableTopics), read };
}

describe('P6: reads that clients share', () => {
  const ask = (shared: SharedReads, name: string): Promise<unknown> =>
    shared.since({ kind: 'room', name }, { n: 1, id: 'x' }, 1);

  it('are kept while they are few events, and the oldest goes first', async () => {
    const { shared, read } = reads(LARGE);
    for (const name of ['a', 'b', 'b', 'a', 'c', 'b', 'c', 'a']) await ask(shared, name);
    expect(read).toEqual(['a', 'b', 'c', 'a']);
  });

  it('are not kept without a bound either when they are empty', async () => {
    const { shared, read } = reads(0);
    for (let n = 0; n < 20_001; n++) await ask(shared, `room ${n}`);
    read.length = 0;
    for (const n of [20_000, 0]) await ask(shared, `room ${n}`);
    expect(read).toEqual(['room 0']);
  });
});
