import { EventEmitter } from 'node:events';
import { resolveConfig } from '../../../lib/loop-ws.config-reader.js';
import { ChannelSubscriber } from '../../../lib/redis/channel-subscriber.js';
import type { RedisDriver } from '../../../lib/redis/driver.js';
import { CLASSIC } from '../../../lib/redis/pub-sub.js';
import type { RedisServer, Topology } from '../../../lib/redis/topology.js';
import { SampledLogger } from '../../../lib/util/sampled-logger.js';
import { deferred, eventually } from '../../support/eventually.js';

/** A server of Redis in states that a real one is in for an instant only. */
class ScriptedServer extends EventEmitter implements RedisServer {
  readonly subscribed = new Set<string>();
  readonly stream = { destroy: (): void => this.drop() };
  status = 'wait';
  /** What its confirmations wait for. */
  confirming = Promise.resolve();
  /** What its confirmations that a channel is unsubscribed wait for. */
  unsubscribing = Promise.resolve();
  isAsked = false;

  createConnection(): RedisDriver {
    return this as unknown as RedisDriver;
  }

  async connect(): Promise<void> {
    await Promise.resolve();
    this.status = 'ready';
    this.subscribed.clear();
    this.emit('ready');
  }

  drop(): void {
    this.status = 'reconnecting';
  }

  disconnect(): void {
    this.status = 'end';
  }

  async call(): Promise<string> {
    return 'id=1 addr=127.0.0.1:1';
  }

  async subscribe(...channels: string[]): Promise<void> {
    this.isAsked = true;
    await this.confirming;
    for (const channel of channels) this.subscribed.add(channel);
  }

  async unsubscribe(...channels: string[]): Promise<void> {
    for (const channel of channels) this.subscribed.delete(channel);
    await this.unsubscribing;
  }
}

class ScriptedTopology implements Topology {
  readonly isSharded = false;
  private readonly listeners: (() => void)[] = [];

  constructor(private owners: Readonly<Record<string, ScriptedServer>>) {}

  get servers(): readonly RedisServer[] {
    return [...new Set(Object.values(this.owners))];
  }

  become(owners: Readonly<Record<string, ScriptedServer>>): void {
    this.owners = owners;
    for (const listener of this.listeners) listener();
  }

  ownerOf(name: string): RedisServer | undefined {
    return this.owners[name];
  }

  onChange(listener: () => void): void {
    this.listeners.push(listener);
  }

  async start(): Promise<void> {}

  async refresh(): Promise<void> {}

  close(): void {}
}

const NEVER = new Promise<void>(() => {});
const PATIENT = { attachTimeoutMs: 100, topicLingerMs: 60_000 };
let subscriber: ChannelSubscriber;
let mayHaveMissed: number;
let givenUp: string[];
let one: ScriptedServer;
let other: ScriptedServer;

async function subscribe(topology: Topology, timings = PATIENT): Promise<void> {
  const config = resolveConfig(timings);
  subscriber = new ChannelSubscriber(topology, CLASSIC, config, new SampledLogger(config), {
    receive: () => {},
    givenUp: (channel) => givenUp.push(channel),
    mayHaveMissed: () => mayHaveMissed++,
  });
  await subscriber.start([], []);
}

beforeEach(() => {
  one = new ScriptedServer();
  other = new ScriptedServer();
  mayHaveMissed = 0;
  givenUp = [];
});

afterEach(() => subscriber.close());

describe('P5: what is attached stays subscribed', () => {
  it('when nobody keeps a channel for a moment, by whoever keeps it next', async () => {
    const topology = new ScriptedTopology({ a: one, b: other });
    await subscribe(topology);
    await subscriber.attach(['b']);
    topology.become({ a: one });
    const next = new ScriptedServer();
    topology.become({ a: one, b: next });
    await eventually('it is subscribed', () => next.subscribed.size > 0);
    expect([...next.subscribed]).toEqual(['b']);
  });

  it('when nobody keeps it yet, by whoever keeps it in time', async () => {
    const topology = new ScriptedTopology({ a: one });
    await subscribe(topology);
    const attached = subscriber.attach(['b']);
    topology.become({ a: one, b: other });
    await attached;
    expect([...other.subscribed]).toEqual(['b']);
  });

  it('when it moves while it is being subscribed, and is attached once its new server has it', async () => {
    const topology = new ScriptedTopology({ a: one, b: other });
    await subscribe(topology);
    const { promise, resolve: confirm } = deferred();
    one.confirming = promise;
    other.confirming = NEVER;
    const attached = subscriber.attach(['a']);
    await eventually('its first server is asked', () => one.isAsked);
    topology.become({ a: other, b: one });
    const heardBefore = mayHaveMissed;
    confirm();
    await expect(attached).rejects.toThrow('did not confirm');
    expect(mayHaveMissed).toBe(heardBefore);
  });

  it('and is not taken for subscribed while the connection is down', async () => {
    await subscribe(new ScriptedTopology({ a: one }));
    await subscriber.attach(['a']);
    subscriber.detach(['a']);
    one.drop();
    const again = subscriber.attach(['a']);
    one.emit('close');
    await expect(again).rejects.toThrow('did not confirm');
  });

  it('and who cannot have all channels hears of it once, not as an unhandled rejection', async () => {
    await subscribe(new ScriptedTopology({ a: one }));
    one.confirming = NEVER;
    const unhandled: unknown[] = [];
    const note = (error: unknown): number => unhandled.push(error);
    process.on('unhandledRejection', note);
    await expect(subscriber.attach(['a', 'b'])).rejects.toThrow('did not confirm');
    await expect(subscriber.attach(['a'])).rejects.toThrow('did not confirm'); // later than the first wait
    process.off('unhandledRejection', note);
    expect(unhandled).toEqual([]);
  });
});

describe('P8: what nobody needs any more is given up', () => {
  const HASTY = { attachTimeoutMs: 100, topicLingerMs: 0 };

  it.each([
    ['when a server keeps it', 'a'],
    ['when no server keeps it', 'b'],
  ])('%s', async (_, name) => {
    await subscribe(new ScriptedTopology({ a: one }), HASTY);
    const attached = subscriber.attach([name]);
    subscriber.detach([name]);
    await Promise.allSettled([attached]);
    await eventually('it is given up', () => givenUp.length > 0);
    expect(givenUp).toEqual([name]);
    expect([...one.subscribed]).toEqual([]);
  });

  it('when its server is there and keeps it no more', async () => {
    const topology = new ScriptedTopology({ a: one, b: one });
    await subscribe(topology, HASTY);
    await subscriber.attach(['a']);
    topology.become({ b: one });
    await subscriber.attach(['a']);
    subscriber.detach(['a']);
    await eventually('it is given up', () => givenUp.length > 0);
    expect([...one.subscribed]).toEqual([]);
  });

  it('when nothing more of it can arrive, unless it was needed again meanwhile', async () => {
    await subscribe(new ScriptedTopology({ a: one, b: one }), HASTY);
    await subscriber.attach(['a', 'b']);
    const { promise, resolve: confirm } = deferred();
    one.unsubscribing = promise;
    subscriber.detach(['a', 'b']);
    await eventually('it is unsubscribed', () => one.subscribed.size === 0);
    await subscriber.attach(['b']);
    expect(givenUp).toEqual([]);
    confirm();
    await eventually('it is given up', () => givenUp.length > 0);
    expect(givenUp).toEqual(['a']);
    expect([...one.subscribed]).toEqual(['b']);
  });

  it('once, though it was needed and left again before it was unsubscribed', async () => {
    await subscribe(new ScriptedTopology({ a: one }), HASTY);
    const confirmations = [deferred(), deferred()] as const;
    for (const { promise } of confirmations) {
      await subscriber.attach(['a']);
      one.unsubscribing = promise;
      subscriber.detach(['a']);
      await eventually('it is unsubscribed', () => one.subscribed.size === 0);
    }
    const [first, second] = confirmations;
    first.resolve();
    await first.promise;
    expect(givenUp).toEqual([]);
    second.resolve();
    await eventually('it is given up', () => givenUp.length > 0);
    expect(givenUp).toEqual(['a']);
  });
});
