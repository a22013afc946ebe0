import { parseReplies } from '../../../lib/transport/redis/reply-batches.js';

const DONE = { delivered: 1, filtered: 0, failed: 0 };

describe('P5, P6: of a message of replies', () => {
  const good = [
    DONE,
    { ...DONE, isOpen: true },
    { ...DONE, answer: { ok: true } },
    { ...DONE, answer: { ok: true, data: '"fine"' } },
    { ...DONE, answer: { ok: false, error: { code: 'busy', message: 'later' } } },
    { ...DONE, ofALaterVersion: 1 },
  ];
  it.each(good)('%j is read', (reply) => {
    const batch = [[7, reply]];
    expect(parseReplies(JSON.stringify(batch))).toEqual({ replies: batch, unreadable: 0 });
  });

  const strange: unknown[] = [
    [null],
    [1],
    [[]],
    [{}],
    [{ ...DONE, delivered: '1' }],
    [{ ...DONE, delivered: -1 }],
    [{ ...DONE, delivered: 0.5 }],
    [{ ...DONE, filtered: undefined }],
    [{ ...DONE, isOpen: 1 }],
    [{ ...DONE, answer: null }],
    [{ ...DONE, answer: { ok: true, data: 1 } }],
    [{ ...DONE, answer: { ok: false } }],
    [{ ...DONE, answer: { ok: false, error: { code: 'no' } } }],
  ];
  it.each(strange)('the reply %j is left out, and hides no other', (reply) => {
    const batch = JSON.stringify([
      [7, reply],
      [8, DONE],
    ]);
    expect(parseReplies(batch)).toEqual({ replies: [[8, DONE]], unreadable: 1 });
  });

  it.each([null, 1, [1], ['1', DONE]])('the part %j is left out', (part) => {
    expect(parseReplies(JSON.stringify([part]))).toEqual({ replies: [], unreadable: 1 });
  });

  it.each(['', '{', 'null', '{}', '1'])('%j as a whole is refused', (batch) => {
    expect(() => parseReplies(batch)).toThrow(/JSON|array/);
  });
});
