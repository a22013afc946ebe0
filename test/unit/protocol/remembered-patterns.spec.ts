import { patternsMatching } from '../../../lib/protocol/pattern.js';
import { cachedPatternsMatching } from '../../../lib/protocol/remembered-patterns.js';

describe('cachedPatternsMatching', () => {
  it('gives what patternsMatching gives, and the same texts again', () => {
    const name = 'billing:invoice.paid';
    const patterns = cachedPatternsMatching(name);
    expect(patterns).toEqual(patternsMatching(name));
    expect(cachedPatternsMatching(name)).toBe(patterns);
  });

  it('P6: forgets the oldest of ever new names', () => {
    const first = cachedPatternsMatching('orders:o0');
    for (let at = 1; at < 1_000; at++) cachedPatternsMatching(`orders:o${at}`);
    expect(cachedPatternsMatching('orders:o0')).toBe(first);
    cachedPatternsMatching('orders:o1000');
    expect(cachedPatternsMatching('orders:o0')).not.toBe(first);
    expect(cachedPatternsMatching('orders:o0')).toEqual(first);
  });
});
