import {
  ACCOUNT,
  back,
  began,
  check,
  connected,
  diaryOf,
  live,
  moved,
  namedBy,
  positionOf,
  pushed,
  reset,
  saw,
  SERVICE,
  unconfirmed,
} from './diary.js';

const three = [pushed(1), pushed(2), pushed(3)];
const five = [...three, pushed(4), pushed(5)];

describe('what is missing', () => {
  it('is lost when no reset tells of it', () => {
    expect(check(three, diaryOf(connected, began(0), saw(1), saw(3)))).toEqual([
      'lost acme/phone 2',
    ]);
  });

  it('is lost at the end as well', () => {
    expect(check(three, diaryOf(connected, began(0), saw(1), saw(2)))).toEqual([
      'lost acme/phone 3',
    ]);
  });

  it('is not lost before the client was told of the topic', () => {
    expect(check(three, diaryOf(connected, began(2, 25), saw(3)))).toEqual([]);
  });

  it('is lost on a topic of which the client was told nothing but its events', () => {
    expect(check(three, diaryOf(connected, saw(1), saw(3)))).toEqual(['lost acme/phone 2']);
    const toAll = three.map((event) => ({ ...event, topic: SERVICE }));
    const sawOf = (number: number) => saw(number, { topic: SERVICE });
    expect(check(toAll, diaryOf(connected, sawOf(1), sawOf(3)))).toEqual(['lost acme/phone 2']);
  });

  it('is lost before a reset of a topic that had not begun, when events came before it', () => {
    const diary = diaryOf(connected, saw(1), saw(3), back(30), reset(5, 55));
    expect(check(three, diary)).toEqual(['lost acme/phone 2']);
  });

  it('is lost behind a reset of a topic that had not begun', () => {
    expect(check(three, diaryOf(connected, reset(1, 15), saw(3)))).toEqual(['lost acme/phone 2']);
  });

  it('is everything for a client that was never told of its account, or of what it has from the beginning', () => {
    const lost = [1, 2, 3].map((number) => `lost acme/phone ${number}`);
    expect(check(three, diaryOf(connected))).toEqual(lost);
    const toAll = three.map((event) => ({ ...event, topic: SERVICE }));
    expect(check(toAll, diaryOf(connected))).toEqual([]);
    expect(check(toAll, diaryOf(connected), { topicsOf: () => [SERVICE] })).toEqual(lost);
  });

  it('is nothing that was pushed before the client connected, or that never had a place', () => {
    expect(check(three, diaryOf({ ...connected, at: 35 }))).toEqual([]);
    expect(check([unconfirmed(1), live(2)], diaryOf(connected, began(0)))).toEqual([]);
  });

  it('is lost when it got its place after the client was told of the topic, whenever it was called', () => {
    const diary = diaryOf({ ...connected, at: 25 }, began(1, 26), saw(3));
    expect(check(three, diary)).toEqual(['lost acme/phone 2']);
  });

  it('is not lost before the client was told of the topic, also when an event came before that', () => {
    expect(check(three, diaryOf(connected, saw(3), began(2, 32)))).toEqual([]);
    expect(check(three, diaryOf(connected, saw(3), began(1, 32)))).toEqual(['lost acme/phone 2']);
  });

  it('is only what is for the client', () => {
    const isFor = (_: unknown, { number }: { number: number }) => (number === 2 ? undefined : true);
    const diary = diaryOf(connected, began(0), saw(1));
    expect(check(three, diary, { isFor })).toEqual(['lost acme/phone 3']);
  });

  it('is lost when nobody knows its outcome, and another client saw it', () => {
    const phone = diaryOf(connected, began(0), saw(1), saw(2), saw(3));
    const tablet = namedBy('acme/tablet', connected, began(0), saw(1), saw(3));
    const published = [pushed(1), unconfirmed(2), pushed(3)];
    expect(check(published, [phone, tablet])).toEqual(['lost acme/tablet 2']);
  });

  it('is lost when the client was told that it has everything', () => {
    const diary = diaryOf(connected, began(0), saw(1), moved(2, 25), back(30), reset(3, 35));
    expect(check(three, diary)).toEqual(['lost acme/phone 2']);
  });
});

describe('what a reset names', () => {
  it('is not lost', () => {
    const diary = diaryOf(connected, began(0), saw(1), back(40), reset(4, 45), saw(5));
    expect(check(five, diary)).toEqual([]);
  });

  it('is lost when the client had gone past it before', () => {
    const diary = diaryOf(connected, began(0), saw(1), saw(3), back(50), reset(5, 55));
    expect(check(five, diary)).toEqual(['lost acme/phone 2']);
  });

  it.each([
    ['a reset', diaryOf(connected, began(0), saw(1), reset(100, 25))],
    ['a beginning', diaryOf(connected, began(100, 25), saw(1))],
  ])('is nothing that was pushed after %s with a position of the future', (_, diary) => {
    const lost = [3, 4, 5].map((number) => `lost acme/phone ${number}`);
    expect(check(five, diary)).toEqual(expect.arrayContaining(lost));
  });

  it('is nothing when nobody knows when it came', () => {
    const timeless = { kind: 'began', topic: ACCOUNT, position: positionOf(2) } as const;
    expect(check(three, diaryOf(connected, timeless, saw(3)))).toHaveLength(2);
  });
});

describe('a failover that loses writes', () => {
  const placed = (number: number, n: number, at: number, life: string) =>
    pushed(number, { position: positionOf(n, life), at });
  const sawAt = (number: number, n: number, life: string, at: number) =>
    saw(number, { position: positionOf(n, life), at });
  const old = [placed(1, 1, 10, 'o'), placed(2, 2, 20, 'o'), placed(3, 3, 30, 'o')];
  const after = [placed(4, 2, 200, 'n'), placed(5, 3, 210, 'n')];
  const all = [...old, ...after];

  it('takes what was confirmed, and a reset tells of it', () => {
    const phone = diaryOf(
      connected,
      began(0),
      sawAt(1, 1, 'o', 11),
      back(220),
      reset(1_000, 225, 'n'),
    );
    expect(check(all, phone)).toEqual([]);
  });

  it('is told by a reset that goes back, and by the new beginning after it', () => {
    const phone = diaryOf(
      connected,
      began(0),
      sawAt(1, 1, 'o', 11),
      sawAt(2, 2, 'o', 21),
      back(202),
      reset(2, 205, 'n'),
      back(220),
      reset(1_000, 225, 'n'),
    );
    expect(check(all, phone)).toEqual([]);
  });

  it('excuses no loss of long before', () => {
    const phone = diaryOf(
      connected,
      began(0),
      sawAt(1, 1, 'o', 11),
      sawAt(3, 3, 'o', 31),
      back(100),
      reset(1, 100, 'o'),
      sawAt(4, 2, 'n', 201),
      sawAt(5, 3, 'n', 211),
    );
    expect(check(all, phone)).toEqual(['lost acme/phone 2']);
  });

  it('is no excuse for whoever was told nothing', () => {
    const phone = diaryOf(
      connected,
      began(0),
      sawAt(1, 1, 'o', 11),
      back(190),
      sawAt(4, 2, 'n', 201),
      sawAt(5, 3, 'n', 211),
    );
    expect(check(all, phone)).toEqual(['lost acme/phone 2', 'lost acme/phone 3']);
  });

  it('is no excuse for what was pushed after it', () => {
    const phone = diaryOf(
      connected,
      began(0),
      ...old.map(({ number, at }) => sawAt(number, number, 'o', at + 1)),
      back(190),
      reset(1, 195, 'o'),
      sawAt(5, 3, 'n', 211),
    );
    expect(check(all, phone)).toEqual(['lost acme/phone 4']);
  });
});

it('a push that was repeated may come again when a reset told that its first place was lost', () => {
  const again = pushed(2, { position: positionOf(90), attempts: 2, confirmedAt: 900 });
  const published = [pushed(1), again];
  const twice = [saw(1), saw(2), back(500), reset(80, 600), saw(2, { position: positionOf(90) })];
  expect(check(published, diaryOf(connected, began(0), ...twice))).toEqual([]);
  const unreported = twice.filter(({ kind }) => kind !== 'reset');
  expect(check(published, diaryOf(connected, began(0), ...unreported))).toEqual([
    'unexplained acme/phone 2',
    'doubled acme/phone 2',
  ]);
  const once = { ...again, attempts: 1 };
  expect(check([pushed(1), once], diaryOf(connected, began(0), ...twice))).toContain(
    'doubled acme/phone 2',
  );
  const other = namedBy(
    'acme/tablet',
    connected,
    began(0),
    saw(1),
    saw(2, { position: again.position! }),
  );
  const lost = check(published, [diaryOf(connected, began(0), ...twice), other]);
  expect(lost).toEqual(['lost acme/tablet 2']);
});
