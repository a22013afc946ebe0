import { decodeClientFrame } from '../../../lib/protocol/client-frame.codec.js';
import { ErrorCode } from '../../../lib/protocol/error-code.js';
import { Random } from '../../support/random.js';
import { nested, walkedHazard } from './hazards.js';
import { randomText } from './random-text.js';

const CODES: ReadonlySet<string> = new Set([
  ErrorCode.NotJson,
  ErrorCode.BadFrame,
  ErrorCode.UnknownOp,
  ErrorCode.TooDeep,
  ErrorCode.ForbiddenKey,
  ErrorCode.BadName,
]);

const decode = (value: unknown) =>
  decodeClientFrame(typeof value === 'string' ? value : JSON.stringify(value), 32);

describe('decodeClientFrame', () => {
  it.each([
    [{ op: 'ping' }, { op: 'ping' }],
    [
      { op: 'ping', id: 0 },
      { op: 'ping', id: 0 },
    ],
    [
      { op: 'ping', id: 'x'.repeat(64) },
      { op: 'ping', id: 'x'.repeat(64) },
    ],
    [
      { op: 'auth', token: 't', id: 1 },
      { op: 'auth', token: 't', id: 1 },
    ],
    [{ event: 'a:b' }, { op: 'event', event: 'a:b', data: undefined }],
    [
      { event: 'a:b', data: null, id: 2 },
      { op: 'event', event: 'a:b', data: null, id: 2 },
    ],
    [
      { op: 'ping', event: 'a:b' },
      { op: 'event', event: 'a:b', data: undefined },
    ],
    [
      { op: 'answer', ask: 3, data: 4 },
      { op: 'answer', ask: 3, data: 4 },
    ],
    [
      { op: 'answer', ask: 3, error: { code: 'c', message: 'm', stack: 'x' } },
      { op: 'answer', ask: 3, error: { code: 'c', message: 'm' } },
    ],
    [
      { op: 'subscribe', patterns: ['a:*', 'a:*', 'nonsense'] },
      { op: 'subscribe', patterns: ['a:*', 'nonsense'] },
    ],
    [
      { op: 'unsubscribe', patterns: ['a:*'] },
      { op: 'unsubscribe', patterns: ['a:*'] },
    ],
    [
      { op: 'subscribe', patterns: [], since: { account: '1.a' } },
      { op: 'subscribe', patterns: [], since: { account: '1.a' } },
    ],
    [
      { op: 'subscribe', patterns: ['a:*'], since: {} },
      { op: 'subscribe', patterns: ['a:*'], since: {} },
    ],
  ])('%j is the frame %j, and nothing unknown comes along', (sent, frame) => {
    expect(decode({ ...sent, accountId: 'root', isAdmin: true })).toMatchObject({
      ok: true,
      frame,
    });
    const decoded = decode({ ...sent, accountId: 'root' });
    expect(decoded.ok && Object.keys(decoded.frame).toSorted()).toEqual(
      Object.keys(frame).toSorted(),
    );
  });

  it('takes 1 000 topics of since, and none more', () => {
    expect(decode(resumingFrom(1_000))).toMatchObject({ ok: true, frame: resumingFrom(1_000) });
    expect(decode(resumingFrom(1_001))).toMatchObject({ ok: false, code: 'bad_frame' });
  });

  it('takes no patterns only together with since, and only from who subscribes', () => {
    const since = { account: '1.a' };
    for (const sent of [
      { op: 'subscribe', patterns: [] },
      { op: 'subscribe', since },
      { op: 'unsubscribe', patterns: [], since },
    ]) {
      expect(decode(sent)).toMatchObject({ ok: false, code: 'bad_frame' });
    }
  });

  it('ties every error to the id of its frame, and to none when the id itself is wrong', () => {
    for (const sent of [
      { op: 'x' },
      { event: 1 },
      { event: 'x' },
      { op: 'answer' },
      { data: nested(40) },
    ]) {
      expect(decode({ ...sent, id: 'tie' })).toMatchObject({ ok: false, id: 'tie' });
      expect(decode({ ...sent, id: -1 })).not.toHaveProperty('id');
    }
    expect(decode('{"id":"tie","__proto__":1}')).toMatchObject({
      code: 'forbidden_key',
      id: 'tie',
    });
  });

  it('never throws on random input, and refuses with documented codes only', () => {
    const random = new Random(20_261_122);
    const outcomes = new Map<string, number>();
    let longest = 0;
    for (let round = 0; round < 20_000; round++) {
      const decoded = decodeClientFrame(randomText(random), 8);
      const outcome = decoded.ok ? decoded.frame.op : decoded.code;
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      if (!decoded.ok) longest = Math.max(longest, decoded.message.length);
    }
    expect(longest).toBeLessThan(300);
    // the generator reached every code and every kind of frame
    const kinds = ['subscribe', 'unsubscribe', 'event', 'answer', 'auth', 'ping'];
    expect([...outcomes.keys()].toSorted()).toEqual([...CODES, ...kinds].toSorted());
  });

  it('leaves what it accepts free of hazards, and the global objects alone', () => {
    const random = new Random(7);
    const accepted: unknown[] = [];
    for (let round = 0; round < 5_000; round++) {
      const decoded = decodeClientFrame(randomText(random), 8);
      if (decoded.ok) accepted.push(decoded.frame);
    }
    expect(accepted.length).toBeGreaterThan(400);
    expect(accepted.filter((frame) => walkedHazard(frame, 9) !== undefined)).toEqual([]);
    expect(Object.keys(Object.prototype)).toEqual([]);
  });
});

function resumingFrom(count: number): object {
  const topics = Array.from({ length: count }, (_, n) => [`room:${n}`, '1.a']);
  return { op: 'subscribe', patterns: ['a:*'], since: Object.fromEntries(topics) };
}
