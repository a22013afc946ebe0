import { decodeClientFrame } from '../../../lib/protocol/client-frame.codec.js';
import { ErrorCode } from '../../../lib/protocol/error-code.js';
import { findJsonHazard } from '../../../lib/protocol/json-safety.js';

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
    const random = seeded(20_261_122);
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
    const random = seeded(7);
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

describe('findJsonHazard', () => {
  const hazardOf = (text: string, maxDepth = 32) =>
    findJsonHazard(text, JSON.parse(text), maxDepth);

  it('counts the levels of lists and objects from the outermost', () => {
    expect(hazardOf(JSON.stringify(nested(32)))).toBeUndefined();
    expect(hazardOf(JSON.stringify(nested(33)))).toBe('too_deep');
    expect(hazardOf('{"a":[{"b":1}]}', 3)).toBeUndefined();
    expect(hazardOf('{"a":[{"b":[]}]}', 3)).toBe('too_deep');
  });

  it('counts no bracket of a string, however the string ends', () => {
    const strings = ['[[{{', '"[[[[', '\\', '[\\"[[', ']]"{{{{', '\\\\"{{{{', '\u2028[[[['];
    const text = JSON.stringify(strings.map((string) => ({ [string]: [string] })));
    expect(hazardOf(text, 3)).toBeUndefined();
    expect(hazardOf(text, 2)).toBe('too_deep');
  });

  it('does not overflow the stack, however deep', () => {
    const deep = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);
    expect(hazardOf(deep(50_000))).toBe('too_deep');
    expect(hazardOf(`["\\u0041",${deep(50_000)}]`)).toBe('too_deep');
    expect(hazardOf(`["\\u0041",${deep(999)}]`, 1_000)).toBeUndefined();
  });

  it('finds what a walk over the whole value finds, in random texts', () => {
    const random = seeded(20_261_125);
    const found = new Map<string | undefined, number>();
    for (let round = 0; round < 20_000; round++) {
      const text = escapeSome(random, randomText(random));
      if (!isJson(text)) continue;
      const maxDepth = 1 + Math.floor(random() * 6);
      const hazard = walkedHazard(JSON.parse(text), maxDepth);
      expect([text, hazardOf(text, maxDepth)]).toEqual([text, hazard]);
      found.set(hazard, (found.get(hazard) ?? 0) + 1);
    }
    for (const hazard of ['too_deep', 'forbidden_key', undefined])
      expect(found.get(hazard)).toBeGreaterThan(200);
  });

  it.each<[string, string | undefined]>([
    ['{"__proto__":1}', 'forbidden_key'],
    ['[[{"__proto__":{}}]]', 'too_deep'],
    ['[{"__proto__":{}}]', 'forbidden_key'],
    ['{"\\u005f_proto__":1}', 'forbidden_key'],
    ['{"__pr\\u006Fto__":1}', 'forbidden_key'],
    ['{"constructor":{"prototype":{}}}', 'forbidden_key'],
    ['{"constructor":{"prototype":null}}', 'forbidden_key'],
    ['{"c\\u006fnstructor":{"prototype":1}}', 'forbidden_key'],
    ['{"constructor":{"\\u0070rototype":1}}', 'forbidden_key'],
    ['{"constructor":{"name":"x"}}', undefined],
    ['{"constructor":null}', undefined],
    ['{"constructor":"prototype"}', undefined],
    ['{"prototype":{"constructor":1}}', undefined],
    ['{"toString":1,"hasOwnProperty":2}', undefined],
    ['{"\\\\u005f_proto__":1}', undefined],
    ['"__proto__"', undefined],
    ['["__proto__"]', undefined],
    ['null', undefined],
    ['{"a":{"b":[{}]}}', 'too_deep'],
    ['[{},{},{},[],"[[[[{{{{"]', undefined],
  ])('says of %s: %s', (text, hazard) => {
    expect(hazardOf(text, 3)).toBe(hazard);
  });
});

function resumingFrom(count: number): object {
  const topics = Array.from({ length: count }, (_, n) => [`room:${n}`, '1.a']);
  return { op: 'subscribe', patterns: ['a:*'], since: Object.fromEntries(topics) };
}

/** The same by the value alone. */
function walkedHazard(value: unknown, maxDepth: number): string | undefined {
  if (depthOf(value) > maxDepth) return 'too_deep';
  return namesForbiddenKey(value) ? 'forbidden_key' : undefined;
}

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

function namesForbiddenKey(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const own = new Map<string, unknown>(Object.entries(value));
  const constructor = own.get('constructor');
  if (typeof constructor === 'object' && 'prototype' in (constructor ?? {})) return true;
  return own.has('__proto__') || [...own.values()].some(namesForbiddenKey);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Writes some letters as JSON may write them, too. */
function escapeSome(random: Random, text: string): string {
  if (random() < 0.5) return text;
  return text.replaceAll(/[a-z_]/g, (letter) =>
    random() < 0.02 ? `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}` : letter,
  );
}

function nested(levels: number): unknown {
  return levels === 0 ? 1 : [nested(levels - 1)];
}

type Random = () => number;

/** The same numbers in every run: mulberry32. */
function seeded(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function pick<T>(random: Random, values: readonly T[]): T {
  return values[Math.floor(random() * values.length)]!;
}

const KEYS = ['op', 'event', 'id', 'data', 'patterns', 'ask', 'error', 'token', 'code', 'message'];
const RARE_KEYS = ['__proto__', 'constructor', 'prototype', 'toString', ''];
const OPS = ['subscribe', 'unsubscribe', 'answer', 'auth', 'ping', 'welcome', 'constructor'];
const TEXTS = [
  ...OPS,
  'a:b',
  'a:b.c',
  'a:*',
  '',
  ' ',
  '\u0000',
  '\ud800',
  '😀',
  'x'.repeat(200),
  '__proto__',
];
const NUMBERS = [0, 1, -1, 0.5, 2 ** 53, 1e308, -0];

/** Mostly frames that are nearly right, because those reach furthest. */
function randomText(random: Random): string {
  const text = JSON.stringify(random() < 0.8 ? randomFrame(random) : randomValue(random, 0)) ?? '';
  if (random() < 0.9) return text.replaceAll('"__own_proto__"', '"__proto__"');
  const at = Math.floor(random() * text.length);
  return text.slice(0, at) + pick(random, ['', '"', '{', '\\', ',', '\u0000']) + text.slice(at + 1);
}

function randomFrame(random: Random): object {
  const fields: Record<string, unknown> = {};
  if (random() < 0.6) fields.op = pick(random, OPS);
  else if (random() < 0.8) fields.event = pick(random, TEXTS);
  for (const key of KEYS.slice(2)) if (random() < 0.4) fields[key] = randomValue(random, 1);
  if (random() < 0.3) fields.patterns = ['a:b', 'a:*'];
  if (random() < 0.3) fields.ask = 1;
  return fields;
}

function randomValue(random: Random, depth: number): unknown {
  const kind = depth > 10 ? 0 : random();
  if (kind < 0.3) return pick(random, TEXTS);
  if (kind < 0.5) return pick(random, NUMBERS);
  if (kind < 0.6) return pick(random, [true, false, null]);
  const values = Array.from({ length: Math.floor(random() * 3) + 1 }, () =>
    randomValue(random, depth + 1),
  );
  if (kind < 0.8) return values;
  return Object.fromEntries(values.map((value) => [randomKey(random), value]));
}

function randomKey(random: Random): string {
  const key = pick(random, random() < 0.9 ? KEYS : RARE_KEYS);
  return key === '__proto__' ? '__own_proto__' : key;
}
