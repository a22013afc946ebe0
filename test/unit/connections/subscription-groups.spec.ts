import {
  type SubscriptionGroup,
  SubscriptionGroups,
} from '../../../lib/connections/subscription-groups.js';

class Subscriber {
  group: SubscriptionGroup<Subscriber> | undefined;
  readonly expected = new Set<string>();

  constructor(private readonly groups: SubscriptionGroups<Subscriber>) {}

  add(...patterns: string[]): this {
    this.group = this.groups.add(this, this.group, patterns);
    for (const pattern of patterns) this.expected.add(pattern);
    return this;
  }

  remove(...patterns: string[]): this {
    this.group = this.groups.remove(this, this.group!, patterns);
    for (const pattern of patterns) this.expected.delete(pattern);
    return this;
  }

  leave(): void {
    if (this.group !== undefined) this.groups.leave(this, this.group);
  }
}

const numbered = (count: number): string[] => Array.from({ length: count }, (_, n) => `doc:n${n}`);

let groups: SubscriptionGroups<Subscriber>;
const subscriber = (): Subscriber => new Subscriber(groups);

beforeEach(() => {
  groups = new SubscriptionGroups();
});

describe('SubscriptionGroups', () => {
  it('lets those who hold the same patterns share one set of them, in whatever order they came', () => {
    const [one, other] = [subscriber().add('a:x', 'b:*'), subscriber().add('b:*').add('a:x')];
    expect(one.group).toBe(other.group);
    expect([...groups.subscribersOf('a:x')]).toEqual([one, other]);
    expect(groups.subscribersOf('a:x')).toBe(one.group!.members); // nothing is copied
  });

  it('changes nothing for others when one of them changes', () => {
    const [one, other] = [subscriber().add('a:x', 'b:*'), subscriber().add('a:x', 'b:*')];
    one.add('c:*').remove('a:x');
    expect([...one.group!.patterns].toSorted()).toEqual(['b:*', 'c:*']);
    expect([...other.group!.patterns].toSorted()).toEqual(['a:x', 'b:*']);
    expect([...groups.subscribersOf('a:x')]).toEqual([other]);
    expect(new Set(groups.subscribersOf('b:y'))).toEqual(new Set([one, other]));
  });

  it('finds each subscriber once, however many of its patterns match, and nobody who has left', () => {
    const one = subscriber().add('a:x', 'a:*', '*:x', '*:*');
    const other = subscriber().add('*:*', 'a:x');
    expect([...groups.subscribersOf('a:x')]).toHaveLength(2);
    one.leave();
    one.leave();
    expect([...groups.subscribersOf('a:x')]).toEqual([other]);
    expect([...one.group!.patterns]).toHaveLength(4); // as it was
    expect(other.remove('*:*', 'a:x').group).toBeUndefined();
    expect([...groups.subscribersOf('a:x')]).toEqual([]);
  });

  it('does not forget a group for one that left an earlier one of the same patterns', () => {
    const [gone, here] = [subscriber().add('a:x'), subscriber()];
    gone.leave();
    here.add('a:x');
    gone.leave();
    expect(subscriber().add('a:x').group).toBe(here.group);
    expect([...groups.subscribersOf('a:x')]).toHaveLength(2);
  });

  it('gives one that holds many patterns a group of its own', () => {
    const [one, other] = [subscriber().add(...numbered(200)), subscriber().add(...numbered(200))];
    expect(one.group).not.toBe(other.group);
    const before = one.group;
    one.add('a:x').remove(...numbered(199));
    expect(one.group).toBe(before);
    expect([...one.group!.patterns].toSorted()).toEqual(['a:x', 'doc:n199']);
    expect([...groups.subscribersOf('doc:n0')]).toEqual([other]);
    expect(new Set(groups.subscribersOf('doc:n199'))).toEqual(new Set([one, other]));
    one.leave();
    other.leave();
    expect([...groups.subscribersOf('doc:n199')]).toEqual([]);
  });

  it('finds the same as a look at every subscriber, whatever they do', () => {
    const subscribers = Array.from({ length: 40 }, subscriber);
    const patterns = [...numbered(45), 'doc:*', '*:n7', '*:*'];
    let seed = 7;
    const random = (below: number): number => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed % below;
    };
    for (let step = 0; step < 4_000; step++) {
      const one = subscribers[random(subscribers.length)]!;
      const some = new Set(patterns.slice(random(patterns.length)).slice(0, 1 + random(12)));
      const held = [...some].filter((text) => one.expected.has(text));
      const fresh = [...some].filter((text) => !one.expected.has(text));
      if (random(2) === 0 && fresh.length > 0) one.add(...fresh);
      else if (held.length > 0) one.remove(...held);
      if (step % 20 > 0) continue;
      const hears = ({ expected }: Subscriber): boolean =>
        ['doc:n7', 'doc:*', '*:n7', '*:*'].some((text) => expected.has(text));
      const found = [...groups.subscribersOf('doc:n7')];
      expect(new Set(found)).toEqual(new Set(subscribers.filter(hears)));
      expect(found).toHaveLength(new Set(found).size);
    }
    for (const { group, expected } of subscribers) {
      expect([...(group?.patterns ?? [])].toSorted()).toEqual([...expected].toSorted());
    }
  });
});
