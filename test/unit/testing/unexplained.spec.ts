import { checkDelivery } from '../../../lib/testing/index.js';
import {
  ACCOUNT,
  began,
  check,
  connected,
  diaryOf,
  live,
  positionOf,
  pushed,
  saw,
  sawLive,
  SERVICE,
} from './diary.js';

const three = [pushed(1), pushed(2), pushed(3)];

describe('what is seen without having been published so', () => {
  it('is an event of another account, with history or without', () => {
    const topic = 'account:globex';
    const unexplained = ['unexplained acme/phone 1'];
    expect(check([pushed(1, { topic })], diaryOf(connected, began(0), saw(1)))).toEqual(
      unexplained,
    );
    const sawTheirs = saw(1, { topic });
    expect(check([pushed(1, { topic })], diaryOf(connected, began(0), sawTheirs))).toEqual(
      expect.arrayContaining(unexplained),
    );
    expect(check([live(1, { topic })], diaryOf(connected, began(0), sawLive(1)))).toEqual(
      unexplained,
    );
  });

  it('is an event that is not for the client', () => {
    const isFor = () => false;
    expect(check([live(1)], diaryOf(connected, sawLive(1)), { isFor })).toEqual([
      'unexplained acme/phone 1',
    ]);
  });

  it('is an event at another place than it was given, or on another topic', () => {
    const elsewhere = saw(2, { position: positionOf(2, 'other') });
    expect(check(three, diaryOf(connected, began(0), saw(1), elsewhere, saw(3)))).toEqual([
      'unexplained acme/phone 2',
    ]);
    const onAll = saw(2, { topic: SERVICE });
    expect(check(three, diaryOf(connected, began(0), saw(1), onAll, saw(3)))).toEqual([
      'unexplained acme/phone 2',
    ]);
  });

  it('is a durable event without its place, and a place of an event that has none', () => {
    const bare = sawLive(1);
    expect(check(three, diaryOf(connected, began(0), bare, saw(2), saw(3)))).toEqual([
      'unexplained acme/phone 1',
    ]);
    expect(check([live(1)], diaryOf(connected, began(0), saw(1)))).toEqual([
      'unexplained acme/phone 1',
    ]);
  });

  it('is told with the reason', () => {
    const { findings } = checkDelivery(
      [pushed(1, { topic: 'account:globex' })],
      [diaryOf(connected, saw(1))],
    );
    expect(findings[0]!.place).toBe(
      `acme/phone, ${ACCOUNT}: p 1 (1.x1) unexplained: it is for account:globex, seen as sighting 1, after the first connection`,
    );
  });
});

describe('an event without history', () => {
  const tick = live(1, { ttlMs: 1_000, at: 10 });

  it('is late when its time and the grace are over', () => {
    expect(check([tick], diaryOf(connected, sawLive(1, 1_510)))).toEqual([]);
    expect(check([tick], diaryOf(connected, sawLive(1, 1_511)))).toEqual(['late acme/phone 1']);
    const graceMs = 0;
    expect(check([tick], diaryOf(connected, sawLive(1, 1_011)), { graceMs })).toEqual([
      'late acme/phone 1',
    ]);
  });

  it('is not late when nobody knows when it was seen, or how long it may take', () => {
    const timeless = { kind: 'event', publisher: 'p', number: 1 } as const;
    expect(check([tick], diaryOf(connected, timeless))).toEqual([]);
    expect(check([live(1)], diaryOf(connected, sawLive(1, 1e9)))).toEqual([]);
  });
});
