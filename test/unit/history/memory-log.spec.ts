import { MemoryLog } from '../../../lib/transport/memory/memory-log.js';
import { encodePosition, parsePosition } from '../../../lib/transport/position.js';
import { randomId } from '../../../lib/util/random-id.js';
import type { PushMessage } from '../../../lib/transport/transport-message.js';

const POLICY = { size: 3, ttlMs: 100 };
const ID_WINDOW_MS = 50;

const push = (n: number, id?: string): PushMessage => ({
  kind: 'push',
  target: { kind: 'account', accountId: 'acme' },
  name: 'chat:n',
  frame: String(n),
  ttlMs: 1_000,
  ...(id === undefined ? {} : { id }),
});

const begun = (): MemoryLog => new MemoryLog({ n: 1_000, id: randomId() });

function filled(count: number, log = begun()): MemoryLog {
  for (let n = 1; n <= count; n++) log.append(push(n), POLICY, n, ID_WINDOW_MS);
  return log;
}

describe('the history of one topic', () => {
  it('P3: gives what followed a position, each naming the one before it', () => {
    const log = begun();
    const { position } = log;
    filled(3, log);
    const after = log.since(position, 3)!;
    expect(after.map(({ frame }) => frame)).toEqual(['1', '2', '3']);
    expect(after.map(({ place }) => place.previousId)).toEqual([
      position.id,
      after[0]!.place.position.id,
      after[1]!.place.position.id,
    ]);
    expect(log.since(after[1]!.place.position, 3)!.map(({ frame }) => frame)).toEqual(['3']);
    expect(log.since(log.position, 3)).toEqual([]);
  });

  it('P3: says so when something is trimmed, too old, of another life or of another topic', () => {
    const log = begun();
    const { position } = log;
    filled(4, log);
    expect(log.since(position, 4)).toBeUndefined();
    const [one, other] = [filled(2), filled(2)];
    expect(other.since(one.position, 2)).toBeUndefined();
    expect(other.since({ n: 0, id: one.position.id }, 2)).toBeUndefined();
    expect(other.since({ n: 9, id: one.position.id }, 2)).toBeUndefined();
    const old = begun();
    const begin = old.position;
    filled(2, old);
    expect(old.since(begin, 101)).toBeUndefined();
    expect(old.since(old.position, 1_000)).toEqual([]);
  });

  it('P2: keeps a push that is repeated under its id once, for as long as the window', () => {
    const log = begun();
    const first = log.append(push(1, 'a'), POLICY, 0, ID_WINDOW_MS);
    const again = log.append(push(1, 'a'), POLICY, 49, ID_WINDOW_MS);
    expect(again).toEqual({ position: first.position });
    const later = log.append(push(1, 'a'), POLICY, 51, ID_WINDOW_MS);
    expect(later.position.n).toBe(first.position.n + 1);
  });

  it('frees what is too old and keeps the position', () => {
    const log = filled(3);
    const { position } = log;
    log.prune(102);
    expect(log.latest(102)?.frame).toBe('3');
    log.prune(103);
    expect(log.latest(50)).toBeUndefined();
    expect(log.position).toEqual(position);
  });
});

describe('the text of a position', () => {
  it('leads back to it', () => {
    const position = { n: 2 ** 50, id: 'Ab-_9' };
    expect(parsePosition(encodePosition(position))).toEqual(position);
  });

  it.each(['', '.', '1', '1.', '.a', 'A.a', '1.a b', `${'z'.repeat(12)}.a`, '1.a.b'])(
    '%j is none',
    (text) => {
      expect(parsePosition(text)).toBeUndefined();
    },
  );
});
