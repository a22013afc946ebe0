import {
  back,
  began,
  check,
  connected,
  current,
  diaryOf,
  live,
  moved,
  positionOf,
  pushed,
  reset,
  saw,
  sawLive,
  SERVICE,
} from './diary.js';

const four = [pushed(1), pushed(2), pushed(3), pushed(4)];

describe('the order of a topic', () => {
  it('is that of its history', () => {
    expect(check(four, diaryOf(connected, began(0), saw(1), saw(3), saw(2), saw(4)))).toEqual([
      'reordered acme/phone 2',
    ]);
  });

  it('is broken by what a reset, a beginning or a position named', () => {
    const afterReset = diaryOf(connected, began(0), saw(1), back(30), reset(3, 35), saw(2), saw(4));
    expect(check(four, afterReset)).toEqual(['reordered acme/phone 2']);
    const beforeBeginning = diaryOf(connected, began(3, 35), saw(2), saw(4));
    expect(check(four, beforeBeginning)).toEqual(['reordered acme/phone 2']);
    const told = diaryOf(connected, began(0), saw(1), moved(2, 25), saw(2), saw(3), saw(4));
    expect(check(four, told)).toEqual(['reordered acme/phone 2']);
  });

  it('is that of the publisher where there is no history, also over connections', () => {
    const ticks = [live(1), live(2)];
    expect(check(ticks, diaryOf(connected, sawLive(2), back(30), sawLive(1)))).toEqual([
      'reordered acme/phone 1',
    ]);
  });
});

describe('P1: the order of calls', () => {
  const toAll = pushed(2, { topic: SERVICE, position: positionOf(1) });
  const sawToAll = saw(2, { topic: SERVICE, position: positionOf(1) });
  const two = [pushed(1), toAll];
  const beginnings = [began(0), began(0, 0, SERVICE)];

  it('holds across targets', () => {
    expect(check(two, diaryOf(connected, ...beginnings, sawToAll, saw(1)))).toEqual([
      'reordered acme/phone 1',
    ]);
  });

  it('holds between durable events and others', () => {
    const mixed = [pushed(1), live(2)];
    expect(check(mixed, diaryOf(connected, began(0), sawLive(2), saw(1)))).toEqual([
      'reordered acme/phone 1',
    ]);
  });

  it('does not hold for what was missed, and holds again behind it', () => {
    const missed = [connected, ...beginnings, back(30), sawToAll, saw(1), current(40)];
    expect(check(two, diaryOf(...missed))).toEqual([]);
    const early = [connected, ...beginnings, back(1), current(5), sawToAll, saw(1)];
    expect(check(two, diaryOf(...early))).toEqual(['reordered acme/phone 1']);
  });

  it('does not hold over two connections, for a push that was repeated, or where the caller says so', () => {
    const dropped = diaryOf(connected, ...beginnings, sawToAll, back(30), current(31), saw(1));
    expect(check(two, dropped)).toEqual([]);
    const swapped = diaryOf(connected, ...beginnings, sawToAll, saw(1));
    expect(check([pushed(1, { attempts: 2 }), toAll], swapped)).toEqual([]);
    expect(check(two, swapped, { isInCallOrder: () => false })).toEqual([]);
  });
});
