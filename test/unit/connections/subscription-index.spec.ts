import { KeyedSets } from '../../../lib/connections/keyed-sets.js';
import { SubscriptionIndex } from '../../../lib/connections/subscription-index.js';

function lookupsOf(name: string, index: SubscriptionIndex<unknown>): number {
  const get = KeyedSets.prototype.get;
  let lookups = 0;
  KeyedSets.prototype.get = function (this: KeyedSets<unknown>, key: string) {
    lookups++;
    return get.call(this, key);
  };
  try {
    index.subscribersOf(name);
    return lookups;
  } finally {
    KeyedSets.prototype.get = get;
  }
}

describe('SubscriptionIndex', () => {
  it('finds each subscriber once, in each of the five forms', () => {
    const index = new SubscriptionIndex<string>();
    const patterns = [
      'billing:invoice.paid',
      'billing:*',
      '*:invoice.paid',
      '*:*',
      'billing:invoice.*',
    ];
    for (const pattern of patterns) {
      index.add(pattern, pattern);
      index.add(pattern, 'everything');
    }
    for (const pattern of ['billing:invoice', 'chat:*', '*:paid', 'billing:inv.*'])
      index.add(pattern, 'deaf');
    expect([...index.subscribersOf('billing:invoice.paid')].toSorted()).toEqual(
      [...patterns, 'everything'].toSorted(),
    );
  });

  it('looks up as many keys for one event, whether a hundred patterns exist or a hundred thousand', () => {
    const index = new SubscriptionIndex<number>();
    const count = [100, 100_000].map((size) => {
      for (let n = 0; n < size; n++) index.add(`billing:other-${n}`, n);
      return lookupsOf('billing:invoice.paid', index);
    });
    expect(count).toEqual([5, 5]);
  });

  it('does not copy the subscribers when only one pattern matches', () => {
    const index = new SubscriptionIndex<number>();
    for (let n = 0; n < 1_000; n++) index.add('billing:*', n);
    const first = index.subscribersOf('billing:a');
    expect(first.size).toBe(1_000);
    expect(index.subscribersOf('billing:b')).toBe(first);
  });

  it('forgets exactly what is removed, and keeps nothing of the rest', () => {
    const index = new SubscriptionIndex<string>();
    index.add('billing:*', 'a');
    index.add('billing:x', 'a');
    index.add('billing:*', 'b');
    index.remove('billing:*', 'a');
    index.remove('billing:y', 'a');
    expect([...index.subscribersOf('billing:x')].toSorted()).toEqual(['a', 'b']);
    index.remove('billing:x', 'a');
    index.remove('billing:*', 'b');
    expect(index.subscribersOf('billing:x').size).toBe(0);
  });

  it('sees who comes and goes after it was asked, whatever it remembers', () => {
    const index = new SubscriptionIndex<string>();
    expect(index.subscribersOf('billing:x').size).toBe(0);
    index.add('billing:*', 'a');
    expect([...index.subscribersOf('billing:x')]).toEqual(['a']);
    index.add('*:*', 'b');
    expect([...index.subscribersOf('billing:x')]).toEqual(['a', 'b']);
    index.remove('billing:*', 'a');
    expect([...index.subscribersOf('billing:x')]).toEqual(['b']);
    for (let n = 0; n < 3_000; n++) index.subscribersOf(`billing:n${n}`);
    expect([...index.subscribersOf('billing:x')]).toEqual(['b']);
  });

  it('treats names that objects have as ordinary texts', () => {
    const index = new SubscriptionIndex<string>();
    index.add('__proto__:constructor', 'a');
    expect([...index.subscribersOf('__proto__:constructor')]).toEqual(['a']);
    expect(index.subscribersOf('constructor:name').size).toBe(0);
    expect(index.subscribersOf('__proto__:toString').size).toBe(0);
  });
});

describe('KeyedSets', () => {
  it('holds nothing for a key whose last value is gone', () => {
    const sets = new KeyedSets<number>();
    sets.add('a', 1);
    sets.add('a', 1);
    expect(sets.get('a').size).toBe(1);
    sets.delete('a', 1);
    expect(sets.get('a')).toBe(sets.get('b')); // the same empty set
  });

  it('holds one value, many, and one again', () => {
    const sets = new KeyedSets<number>();
    for (const value of [1, 2, 2, 3]) sets.add('a', value);
    expect([...sets.get('a')]).toEqual([1, 2, 3]);
    for (const value of [1, 3, 4]) sets.delete('a', value);
    expect([...sets.get('a')]).toEqual([2]);
    sets.delete('a', 1);
    sets.add('a', 5);
    expect([...sets.get('a')]).toEqual([2, 5]);
  });
});
