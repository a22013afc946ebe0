import type { Random } from '../../support/random.js';

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
export function randomText(random: Random): string {
  const text =
    JSON.stringify(random.next() < 0.8 ? randomFrame(random) : randomValue(random, 0)) ?? '';
  if (random.next() < 0.9) return text.replaceAll('"__own_proto__"', '"__proto__"');
  const at = random.below(text.length);
  return text.slice(0, at) + random.pick(['', '"', '{', '\\', ',', '\u0000']) + text.slice(at + 1);
}

function randomFrame(random: Random): object {
  const fields: Record<string, unknown> = {};
  if (random.next() < 0.6) fields.op = random.pick(OPS);
  else if (random.next() < 0.8) fields.event = random.pick(TEXTS);
  for (const key of KEYS.slice(2)) if (random.next() < 0.4) fields[key] = randomValue(random, 1);
  if (random.next() < 0.3) fields.patterns = ['a:b', 'a:*'];
  if (random.next() < 0.3) fields.ask = 1;
  return fields;
}

function randomValue(random: Random, depth: number): unknown {
  const kind = depth > 10 ? 0 : random.next();
  if (kind < 0.3) return random.pick(TEXTS);
  if (kind < 0.5) return random.pick(NUMBERS);
  if (kind < 0.6) return random.pick([true, false, null]);
  const values = Array.from({ length: random.below(3) + 1 }, () => randomValue(random, depth + 1));
  if (kind < 0.8) return values;
  return Object.fromEntries(values.map((value) => [randomKey(random), value]));
}

function randomKey(random: Random): string {
  const key = random.pick(random.next() < 0.9 ? KEYS : RARE_KEYS);
  return key === '__proto__' ? '__own_proto__' : key;
}
