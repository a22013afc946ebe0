import { findJsonHazard } from '../../../lib/protocol/json-safety.js';
import { Random } from '../../support/random.js';
import { nested, walkedHazard } from './hazards.js';
import { randomText } from './random-text.js';

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
    const random = new Random(20_261_125);
    const found = new Map<string | undefined, number>();
    for (let round = 0; round < 20_000; round++) {
      const text = escapeSome(random, randomText(random));
      if (!isJson(text)) continue;
      const maxDepth = 1 + random.below(6);
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
  if (random.next() < 0.5) return text;
  return text.replaceAll(/[a-z_]/g, (letter) =>
    random.next() < 0.02 ? `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}` : letter,
  );
}
