import { patternsMatching } from '../../../lib/protocol/pattern.js';
import { rememberedPatternsMatching } from '../../../lib/protocol/remembered-patterns.js';

describe('rememberedPatternsMatching', () => {
  it('gives what patternsMatching gives, and the same texts again', () => {
    const name = 'billing:invoice.paid';
    const patterns = rememberedPatternsMatching(name);
    expect(patterns).toEqual(patternsMatching(name));
    expect(rememberedPatternsMatching(name)).toBe(patterns);
  });

  it('P6: forgets the oldest of ever new names', () => {
    const first = rememberedPatternsMatching('orders:o0');
    for (let at = 1; at < 1_000; at++) rememberedPatternsMatching(`orders:o${at}`);
    expect(rememberedPatternsMatching('orders:o0')).toBe(first);
    rememberedPatternsMatching('orders:o1000');
    expect(rememberedPatternsMatching('orders:o0')).not.toBe(first);
    expect(rememberedPatternsMatching('orders:o0')).toEqual(first);
  });
});
