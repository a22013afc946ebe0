import type { LoopWsConfig } from '../loop-ws.config.js';
import { LoopWsBootError } from '../loop-ws.errors.js';
import { randomId } from '../util/random-id.js';
import type { SampledLogger } from '../util/sampled-logger.js';
import { BEAT, CLAIM, JOIN } from './membership.scripts.js';
import type { RedisKeys } from './redis-keys.js';
import type { RedisLink } from './redis-link.js';

/** Grows when processes of two versions can no longer understand each other. */
const PROTOCOL_MAJOR = 1;

type BeatReply = [string, number, string[], string[], 0 | 1];

export interface MembershipListener {
  /** Exactly one process is told of each dead one. Resolves when nothing of it is left. */
  sweep(memberId: string): Promise<void>;
  /**
   * Redis does not know this process any more: it was swept as dead, or Redis lost its data. `memberId` is a new one.
   * Resolves when everything of this process is in Redis again.
   */
  restore(wasSwept: boolean): Promise<void>;
}

/**
 * The processes that form the cluster. Each beats; one that was silent for `serverTimeoutMs` is dead and never comes
 * back: should it live, it joins under a new id, so what is swept is never what somebody just wrote.
 */
export class Membership {
  memberId = randomId();
  private listener: MembershipListener | undefined;
  /** When each member was last known to be alive, by this process's own monotonic clock. */
  private readonly seen = new Map<string, number>();
  private inLastBeat: ReadonlySet<string> = new Set();
  private steadySince = performance.now();
  private clockOffsetMs = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private beating: Promise<void> | undefined;
  private closed = false;
  private readonly rejoinedListeners: ((before: string) => void)[] = [];

  constructor(
    private readonly link: RedisLink,
    private readonly keys: RedisKeys,
    private readonly config: LoopWsConfig,
    private readonly logger: SampledLogger,
  ) {}

  /** How many processes are in the cluster, this one and those included that may have just died. */
  get size(): number {
    return new Set([...this.seen.keys(), this.memberId]).size;
  }

  /** Whether every process that may be alive has told Redis so. */
  get isWhole(): boolean {
    return [...this.seen.keys()].every((member) => this.inLastBeat.has(member));
  }

  /** The time of Redis in milliseconds, as far as the last beat tells. */
  redisNow(): number {
    return performance.now() + this.clockOffsetMs;
  }

  listen(listener: MembershipListener): void {
    this.listener = listener;
  }

  onRejoined(listener: (before: string) => void): void {
    this.rejoinedListeners.push(listener);
  }

  /** Somebody said that it is here, before its next beat does. */
  noteJoined(memberId: string): void {
    this.seen.set(memberId, performance.now());
  }

  noteLeft(memberId: string): void {
    if (memberId !== this.memberId) this.seen.delete(memberId);
  }

  async start(): Promise<void> {
    await this.join();
    await this.beatNow();
    this.link.onUp(() => this.beatSoon(0));
    this.beatSoon(this.config.serverBeatMs);
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    await this.link.call('ZREM', this.keys.servers, this.memberId).catch(() => {});
  }

  /** One at a time: two would both find out that this process must join again. */
  beatNow(): Promise<void> {
    this.beating ??= this.beat().finally(() => (this.beating = undefined));
    return this.beating;
  }

  private async join(): Promise<void> {
    const agreement = `protocol ${PROTOCOL_MAJOR}, redisPartitions ${this.config.redisPartitions}`;
    const { servers, agreement: key } = this.keys;
    const args = [this.memberId, agreement, this.config.serverTimeoutMs];
    const theirs = await this.link.run<string>(JOIN, [servers, key], args);
    if (theirs === '') return;
    throw new LoopWsBootError(
      `LoopWs: the processes that run on this Redis and namespace have ${theirs}, this one has ${agreement}; together ` +
        'they would lose messages. Use the same config and version, another namespace, or stop them first.',
    );
  }

  private beatSoon(ms: number): void {
    clearTimeout(this.timer);
    if (this.closed) return;
    this.timer = setTimeout(() => {
      this.beatNow()
        .catch((error: unknown) => this.logger.warn('beat', 'A sign of life failed', error))
        .finally(() => this.beatSoon(this.untilNextBeat()));
    }, ms);
  }

  /** As often as configured, and when the silence of a member becomes too long. */
  private untilNextBeat(): number {
    const { serverBeatMs, serverTimeoutMs } = this.config;
    const now = performance.now();
    const overdue = [...this.seen.values()]
      .map((seen) => seen + serverTimeoutMs - now)
      .filter((ms) => ms > 0 && ms < serverBeatMs);
    return Math.min(serverBeatMs, ...overdue.map((ms) => ms + 20));
  }

  private async beat(): Promise<void> {
    if (!this.link.reaches(this.keys.servers)) return;
    const { servers, sweeps, swept } = this.keys;
    const sentAt = performance.now();
    const keys = [servers, sweeps, swept];
    const reply = await this.link.run<BeatReply>(BEAT, keys, [this.memberId]);
    const [previous, now, beats, openSweeps, wasSwept] = reply;
    if (this.closed) return;
    this.clockOffsetMs = now - (sentAt + performance.now()) / 2;
    const wasUnheard = previous === '' || now - Number(previous) > 3 * this.config.serverBeatMs;
    if (wasUnheard) this.steadySince = sentAt;
    this.noteBeats(beats, now);
    if (previous === '') return this.rejoin(wasSwept === 1);
    await this.judge(beats, openSweeps, now);
  }

  private noteBeats(beats: readonly string[], now: number): void {
    const alive = pairsOf(beats).filter(([, beat]) => !this.isSilent(Number(beat), now));
    this.inLastBeat = new Set(alive.map(([member]) => member));
    for (const [member, beat] of alive) {
      this.seen.set(member, performance.now() - Math.max(0, now - Number(beat)));
    }
    const { serverTimeoutMs } = this.config;
    for (const [member, seen] of this.seen) {
      const silentMs = performance.now() - Math.max(seen, this.steadySince);
      if (!this.inLastBeat.has(member) && silentMs >= serverTimeoutMs) this.seen.delete(member);
    }
  }

  private isSilent(beat: number, now: number): boolean {
    return now - beat >= this.config.serverTimeoutMs;
  }

  /**
   * Only a process that has itself been heard all the time can tell that another one was silent: after an outage of
   * Redis everybody was.
   */
  private async judge(beats: string[], openSweeps: string[], now: number): Promise<void> {
    if (performance.now() - this.steadySince < this.config.serverTimeoutMs) return;
    const silent = pairsOf(beats).filter(([, beat]) => this.isSilent(Number(beat), now));
    const orphaned = pairsOf(openSweeps).filter(([, by]) => !this.inLastBeat.has(by));
    for (const [member] of [...silent, ...orphaned]) await this.sweep(member);
  }

  private async sweep(member: string): Promise<void> {
    const { servers, sweeps, swept } = this.keys;
    const args = [member, this.memberId, this.config.serverTimeoutMs];
    const mine = await this.link.run<number>(CLAIM, [servers, sweeps, swept], args);
    if (mine !== 1) return;
    this.seen.delete(member);
    await this.listener?.sweep(member);
    await this.link.call('HDEL', sweeps, member);
  }

  private async rejoin(wasSwept: boolean): Promise<void> {
    const before = this.memberId;
    this.memberId = randomId();
    this.seen.delete(before);
    this.steadySince = performance.now();
    await this.listener?.restore(wasSwept);
    await this.join();
    for (const listener of this.rejoinedListeners) listener(before);
  }
}

function pairsOf(flat: readonly string[]): [string, string][] {
  return Array.from({ length: flat.length / 2 }, (_, at) => [flat[2 * at]!, flat[2 * at + 1]!]);
}
