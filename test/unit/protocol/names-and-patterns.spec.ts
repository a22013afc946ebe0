import {
  isEventName,
  isServiceName,
  MAX_NAME_LENGTH,
  parseEventName,
} from '../../../lib/protocol/event-name.js';
import { parsePattern, patternsMatching } from '../../../lib/protocol/pattern.js';

const LONGEST = `billing:${'x'.repeat(MAX_NAME_LENGTH - 'billing:'.length)}`;

describe('parseEventName', () => {
  it.each([
    ['billing:invoice.paid', 'billing', 'invoice.paid'],
    ['a:b', 'a', 'b'],
    ['A-1_b:C-2_d.E.f', 'A-1_b', 'C-2_d.E.f'],
    ['__proto__:constructor', '__proto__', 'constructor'],
    [LONGEST, 'billing', LONGEST.slice(8)],
  ])('takes %s apart', (text, service, event) => {
    expect(parseEventName(text)).toEqual({ service, event });
    expect(isEventName(text)).toBe(true);
  });

  it.each([
    '',
    ':',
    'a',
    'a:',
    ':b',
    'a:b:c',
    'a::b',
    'a:b.',
    'a:.b',
    'a:b..c',
    'a.b:c',
    '*:*',
    'a:*',
    'a:b.*',
    'a b:c',
    'a:b c',
    'a:b\n',
    '\na:b',
    'a:b\u0000',
    'ä:b',
    'a:ü',
    'a:b?',
    'a:b/c',
    'a:[b]',
    'а:b',
    `${LONGEST}x`,
  ])('refuses %j', (text) => {
    expect(parseEventName(text)).toBeUndefined();
    expect(isEventName(text)).toBe(false);
  });

  it('agrees with isServiceName', () => {
    for (const text of ['a', 'a.b', 'a-b', '', '.', 'a.', '*', 'a:b', ' a']) {
      expect(parseEventName(`${text}:x`) !== undefined).toBe(isServiceName(text) && text !== 'a:b');
    }
  });
});

describe('parsePattern', () => {
  it.each<[string, string | undefined]>([
    ['billing:invoice.paid', 'billing'],
    ['billing:*', 'billing'],
    ['*:invoice.paid', undefined],
    ['*:*', undefined],
    ['billing:invoice.*', 'billing'],
    ['billing:invoice.paid.*', 'billing'],
    ['__proto__:*', '__proto__'],
  ])('reads the form %s', (text, service) => {
    expect(parsePattern(text)).toEqual({ text, service });
  });

  it.each([
    '',
    '*',
    ':',
    '*:',
    ':*',
    'a',
    'a:',
    ':a',
    '**:*',
    '*:**',
    'a:**',
    'a:*.b',
    'a:b*',
    'a:*b',
    'a*:b',
    '*a:b',
    'a:.*',
    'a:b..*',
    'a:b.*.*',
    'a:b.*.c',
    '*:a.*',
    '*:*.*',
    'a:b:c',
    'a.*:b',
    'a:[b]',
    'a:?',
    'a:b\n',
    ' a:b',
    'a:b ',
    'a:B\u0000',
    'a:\\*',
    'a:{b,c}',
    `a:${'*'.repeat(25)}`,
    `${LONGEST}x`,
    `a:${'b.'.repeat(80)}*`,
  ])('refuses %j', (text) => {
    expect(parsePattern(text)).toBeUndefined();
  });
});

describe('patternsMatching', () => {
  it('names each pattern of the five forms that matches, and no other', () => {
    expect(patternsMatching('billing:invoice.item.paid')).toEqual([
      'billing:invoice.item.paid',
      'billing:*',
      '*:invoice.item.paid',
      '*:*',
      'billing:invoice.*',
      'billing:invoice.item.*',
    ]);
  });

  it('P2: names no pattern twice, all of them are patterns, and their number follows the name alone', () => {
    for (const name of ['a:b', 'a:b.c', 'x:a.b.c.d.e.f', LONGEST, `a:${'b.'.repeat(62)}b`]) {
      const patterns = patternsMatching(name);
      expect(new Set(patterns).size).toBe(patterns.length);
      expect(patterns.length).toBe(4 + name.split('.').length - 1);
      for (const pattern of patterns) expect(parsePattern(pattern)).toBeDefined();
    }
  });

  it('does not take a prefix for a dotted prefix', () => {
    expect(patternsMatching('billing:invoices.paid')).not.toContain('billing:invoice.*');
    expect(patternsMatching('billing:invoice')).not.toContain('billing:invoice.*');
  });
});
