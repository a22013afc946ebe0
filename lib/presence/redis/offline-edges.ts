import type { RedisBackbone } from '../../redis/redis-backbone.js';
import type { PartitionKeys } from '../../redis/redis-keys.js';
import { inParallel } from '../../util/in-parallel.js';
import { KeyedChain } from '../../util/keyed-chain.js';
import type { PresenceEdges } from '../presence-store.js';
import { KEEP_GRACE, TAKE_OFFLINE } from './presence.scripts.js';
import { RecentlyOffline } from './recently-offline.js';

/** How many partitions each beat checks for accounts whose server died before their grace had passed. */
const POLLED_PARTITIONS = 8;

const KEPT_AT_ONCE = 200;

type TakeReply = [offline: string[], back: string[], isKnown: 0 | 1];

/** `''` takes accounts whose grace has passed, `'+inf'` takes all. */
type TakenUntil = '' | '+inf';

/** An account in its grace, as remembered by the process that had its last connection. */
interface Expected {
  timer: ReturnType<typeof setTimeout>;
  readonly endsAt: number;
}

/** Takes accounts whose grace has passed, each on one server of the cluster, and reports them as offline. */
export class OfflineEdges {
  private readonly expected = new Map<string, Expected>();
  private readonly timers = new Set<ReturnType<typeof setTimeout>>();
  private readonly chain = new KeyedChain();
  /** Takes that have not begun yet, by partition. A call that arrives meanwhile shares them. */
  private readonly waiting = new Map<string, Promise<boolean>>();
  /** Accounts that were reported, by partition, until Redis has confirmed that it knows. */
  private readonly reported = new Map<string, readonly string[]>();
  private readonly recent = new RecentlyOffline();
  private poll: ReturnType<typeof setInterval> | undefined;
  private next = 0;
  private closed = false;

  constructor(
    private readonly backbone: RedisBackbone,
    private readonly graceMs: number,
    private readonly edges: PresenceEdges,
  ) {}

  start(): void {
    const { serverBeatMs } = this.backbone.config;
    this.poll = setInterval(() => void this.pollNext(), serverBeatMs).unref();
  }

  /** The last connection of the account has just left. */
  expect(accountId: string): void {
    this.expectIn(accountId, this.graceMs);
  }

  /** Whether this process has reported lately that the account went offline, and has not seen it come back. */
  hasReported(accountId: string): boolean {
    return this.recent.has(accountId);
  }

  /** The account came online with a connection of this process. */
  cameOnline(accountId: string): void {
    this.recent.delete(accountId);
  }

  /** A server was swept, and the grace of its accounts ends in `graceLeftMs`. */
  expectSwept(graceLeftMs: number): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      void this.takeAll();
    }, graceLeftMs + 2).unref();
    this.timers.add(timer);
  }

  /**
   * Redis lost its data. Puts the accounts that were in their grace back into it, long enough for every server to write
   * those that have come back.
   */
  async restore(): Promise<void> {
    await inParallel(KEPT_AT_ONCE, [...this.expected], async ([accountId, { endsAt }]) => {
      const { serverTimeoutMs } = this.backbone.config;
      const ms = Math.ceil(Math.max(endsAt - performance.now(), serverTimeoutMs));
      const partition = this.backbone.keys.partitionOf(accountId);
      const keys = [partition.account(accountId), partition.grace, partition.taken];
      await this.backbone.link.run(KEEP_GRACE, keys, [accountId, ms]);
      this.expectIn(accountId, ms);
    });
  }

  async takeAll(): Promise<void> {
    await Promise.all(this.backbone.keys.partitions.map((partition) => this.take(partition)));
  }

  /** Also takes accounts whose grace is still running. */
  async takeEveryone(partitions: readonly PartitionKeys[]): Promise<void> {
    await Promise.all(
      partitions.map((partition) =>
        this.chain.run(partition.grace, () => this.report(partition, '+inf')),
      ),
    );
  }

  /** Stops taking accounts on its own. Resolves when everything that it has taken is reported. */
  async close(): Promise<void> {
    this.closed = true;
    clearInterval(this.poll);
    for (const timer of this.timers) clearTimeout(timer);
    for (const { timer } of this.expected.values()) clearTimeout(timer);
    const { partitions } = this.backbone.keys;
    await Promise.all(partitions.map(({ grace }) => this.chain.run(grace, async () => {})));
  }

  private expectIn(accountId: string, ms: number): void {
    clearTimeout(this.expected.get(accountId)?.timer);
    const timer = setTimeout(() => void this.takeExpected(accountId, one), ms + 2).unref();
    const one: Expected = { timer, endsAt: performance.now() + ms };
    this.expected.set(accountId, one);
  }

  private async takeExpected(accountId: string, one: Expected): Promise<void> {
    const isTaken = await this.take(this.backbone.keys.partitionOf(accountId));
    if (this.expected.get(accountId) !== one || this.closed) return;
    if (isTaken) this.expected.delete(accountId);
    else one.timer = this.retry(accountId, one);
  }

  private retry(accountId: string, one: Expected): ReturnType<typeof setTimeout> {
    const { serverBeatMs } = this.backbone.config;
    return setTimeout(() => void this.takeExpected(accountId, one), serverBeatMs).unref();
  }

  /** Runs one take after another, so that no account is reported twice. Resolves with whether Redis answered. */
  private take(partition: PartitionKeys): Promise<boolean> {
    const { grace } = partition;
    const waiting = this.waiting.get(grace);
    if (waiting !== undefined) return waiting;
    const taking = this.chain
      .run(grace, () => {
        this.waiting.delete(grace);
        return this.report(partition, '');
      })
      .then(
        () => true,
        (error: unknown) => {
          this.backbone.logger.warn(
            'offline',
            'Reading accounts that went offline failed and will be retried',
            error,
          );
          return false;
        },
      );
    this.waiting.set(grace, taking);
    return taking;
  }

  private async report(partition: PartitionKeys, until: TakenUntil): Promise<void> {
    let reported = this.reported.get(partition.grace) ?? [];
    do {
      const [offline, back] = await this.runTake(partition, until, reported);
      for (const accountId of back) this.reportOnline(accountId);
      for (const accountId of offline) this.reportOffline(accountId);
      reported = offline;
      this.reported.set(partition.grace, reported);
    } while (reported.length > 0);
    this.reported.delete(partition.grace);
  }

  private reportOnline(accountId: string): void {
    this.recent.delete(accountId);
    this.edges.online(accountId);
  }

  private reportOffline(accountId: string): void {
    this.recent.add(accountId);
    this.edges.offline(accountId);
  }

  private async runTake(
    partition: PartitionKeys,
    until: TakenUntil,
    reported: readonly string[],
  ): Promise<[offline: string[], back: string[]]> {
    const { link, membership } = this.backbone;
    const { memberId } = membership;
    const { grace, taken, members } = partition;
    const accounts = reported.map((accountId) => partition.account(accountId));
    const keys = [grace, taken, members, ...accounts];
    const args = [memberId, until, ...reported];
    const [offline, back, isKnown] = await link.run<TakeReply>(TAKE_OFFLINE, keys, args);
    if (isKnown === 0) membership.renew(memberId); // the partition's Redis server lost its data
    return [offline, back];
  }

  /** Takes all partitions at once, so that they share one write and one read. */
  private async pollNext(): Promise<void> {
    const { partitions } = this.backbone.keys;
    const count = Math.min(POLLED_PARTITIONS, partitions.length);
    const now = Array.from(
      { length: count },
      (_, at) => partitions[(this.next + at) % partitions.length]!,
    );
    this.next += count;
    const reached = now.filter(({ grace }) => this.backbone.link.reaches(grace));
    await Promise.all(reached.map((partition) => this.take(partition)));
  }
}
