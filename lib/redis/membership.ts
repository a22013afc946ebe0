import type { LoopWsConfig } from '../loop-ws.config.js';
import { LoopWsBootError } from '../loop-ws.errors.js';
import { randomId } from '../util/random-id.js';
import type { SampledLogger } from '../util/sampled-logger.js';
import { LiveMembers } from './live-members.js';
import { BEAT, JOIN } from './membership.scripts.js';
import { RedisClock } from './redis-clock.js';
import type { RedisKeys } from './redis-keys.js';
import type { RedisLink } from './redis-link.js';
import { Sweeps } from './sweeps.js';

/** Increased when processes of two versions can no longer understand each other. */
const PROTOCOL_MAJOR = 1;

type BeatReply = [string, number, string[], string[], 0 | 1];

export interface MembershipListener {
  /** `last` waits for another `serverTimeoutMs` before it sweeps a dead member, so that others can sweep it first. */
  readonly sweeps: 'not yet' | 'first' | 'last';
  /** Called on one process for each dead member, and again until it resolves. Then nothing of the member is left. */
  sweep(memberId: string): Promise<void>;
  /** Others considered this process dead and swept it, or Redis lost its data. `restore` follows. */
  lost(how: 'swept' | 'forgotten'): void;
  /**
   * This process has a new `memberId`, because Redis lost what it wrote under the old one, or part of it. Resolves when
   * everything of this process is in Redis again; called again until it does.
   */
  restore(): Promise<void>;
}

/**
 * The processes that form the cluster. Each sends heartbeats, or beats, to Redis. A member that was silent for
 * `serverTimeoutMs` is dead for good: if its process is alive, it joins again under a new id, so a sweep never removes
 * what was just written. A process joins before it writes, so everything written under an id is swept once the id is
 * gone.
 */
export class Membership {
  memberId = randomId();
  private listener: MembershipListener | undefined;
  private readonly live: LiveMembers;
  private readonly sweeps: Sweeps;
  private steadySince = Infinity;
  private heardAt = -Infinity;
  private readonly clock = new RedisClock();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private beating: Promise<void> | undefined;
  private restoring: Promise<void> | undefined;
  /** Former ids of this process, kept until everything is in Redis again under the present one. */
  private formerIds: string[] = [];
  private mustRenew = false;
  private closed = false;
  private readonly rejoinedListeners: ((before: string) => void)[] = [];

  constructor(
    private readonly link: RedisLink,
    private readonly keys: RedisKeys,
    private readonly config: LoopWsConfig,
    private readonly logger: SampledLogger,
  ) {
    this.live = new LiveMembers(config.serverTimeoutMs);
    this.sweeps = new Sweeps(link, keys, config, (member) => this.sweep(member));
  }

  /** How many processes are in the cluster, including this one and those that may have just died. */
  get size(): number {
    return new Set([...this.live.ids, this.memberId]).size;
  }

  /** Whether Redis knows every process that may be alive, and has everything of this one. */
  get isComplete(): boolean {
    return this.isRestored && this.live.allBeatsSeen;
  }

  /** Whether Redis has everything of this process, as far as this process knows. */
  get isRestored(): boolean {
    return this.formerIds.length === 0 && !this.mustRenew;
  }

  /** Whether every process is known that had joined by `ms`, in the time of `performance.now()`. */
  knewAllAt(ms: number): boolean {
    return this.heardAt >= ms;
  }

  /** The Redis time in milliseconds, as estimated from the beats. */
  redisNow(): number {
    return this.clock.now();
  }

  listen(listener: MembershipListener): void {
    this.listener = listener;
  }

  /** Calls the listener with the former id when everything is in Redis again under the new one. */
  onRejoined(listener: (before: string) => void): void {
    this.rejoinedListeners.push(listener);
  }

  /** Another process has announced that it joined, before a beat shows it. */
  noteJoined(memberId: string): void {
    this.live.add(memberId);
  }

  noteLeft(memberId: string): void {
    if (memberId !== this.memberId) this.live.remove(memberId);
  }

  async start(): Promise<void> {
    this.steadySince = performance.now();
    await this.join(this.memberId, '');
    await this.beatNow();
    this.link.onUp(() => this.beatSoon(0));
    this.beatSoon(this.config.serverBeatMs);
  }

  /** Call this when nothing of this process is left in Redis. */
  async leave(): Promise<void> {
    this.stop();
    const { servers } = this.keys;
    await this.link.send(servers, 'ZREM', [servers, this.memberId]);
  }

  /** Without {@link leave}, the others eventually sweep this process. */
  async close(): Promise<void> {
    const hasWritten = this.listener !== undefined && this.listener.sweeps !== 'not yet';
    if (!hasWritten) await this.leave().catch(() => {});
    this.stop();
  }

  /** Runs one beat at a time: two would both find that this process must join again. */
  beatNow(): Promise<void> {
    this.beating ??= this.beat().finally(() => (this.beating = undefined));
    return this.beating;
  }

  /** Resolves when every process that had joined before the call is known. */
  async catchUp(): Promise<void> {
    await this.beating?.catch(() => {}); // its reply may be older than the call
    await this.beatNow();
  }

  /** Some of what this member wrote is lost, so with the next beat it writes everything again under a new id. */
  renew(memberId: string): void {
    if (memberId === this.memberId && this.formerIds.length === 0) this.mustRenew = true;
  }

  private stop(): void {
    this.closed = true;
    clearTimeout(this.timer);
  }

  private async join(memberId: string, before: string): Promise<void> {
    const agreement = `protocol ${PROTOCOL_MAJOR}, redisPartitions ${this.config.redisPartitions}`;
    const { servers, agreement: key, sweeps } = this.keys;
    const args = [memberId, agreement, this.config.serverTimeoutMs, before];
    const theirs = await this.link.run<string>(JOIN, [servers, key, sweeps], args);
    if (theirs === '') return;
    throw new LoopWsBootError(
      `LoopWs: the processes on this Redis and namespace have ${theirs}, this one has ` +
        `${agreement}; together they would lose messages. Use the same config and version, ` +
        'use another namespace, or stop the other processes first.',
    );
  }

  private beatSoon(ms: number): void {
    clearTimeout(this.timer);
    if (this.closed) return;
    this.timer = setTimeout(() => {
      this.beatNow()
        .catch((error: unknown) =>
          this.logger.warn('beat', 'The heartbeat to Redis failed and will be retried', error),
        )
        .finally(() => this.beatSoon(this.untilNextBeat()));
    }, ms);
  }

  /** Milliseconds until the next beat: as configured, or sooner when a member is silent for too long before that. */
  private untilNextBeat(): number {
    const { serverBeatMs } = this.config;
    const overdue = this.live.overdueIn().filter((ms) => ms > 0 && ms < serverBeatMs);
    return Math.min(serverBeatMs, ...overdue.map((ms) => ms + 20));
  }

  private async beat(): Promise<void> {
    const { servers, sweeps, swept } = this.keys;
    if (!this.link.reaches(servers)) return;
    const sentAt = performance.now();
    const reply = await this.link.run<BeatReply>(BEAT, [servers, sweeps, swept], [this.memberId]);
    const [previous, now, flatBeats, openSweeps, wasSwept] = reply;
    if (this.closed) return;
    this.clock.note(now, sentAt, performance.now());
    const unheardMs = previous === '' ? Infinity : Math.abs(now - Number(previous));
    if (unheardMs > 3 * this.config.serverBeatMs) this.steadySince = sentAt;
    const beats = pairsOf(flatBeats).map(([id, beat]): [string, number] => [id, Number(beat)]);
    this.live.note(beats, now, this.steadySince);
    this.heardAt = sentAt;
    if (previous === '') this.listener?.lost(wasSwept === 1 ? 'swept' : 'forgotten');
    if (previous === '' || this.mustRenew) await this.rejoin();
    this.restoreInBackground();
    this.sweepInBackground(beats, pairsOf(openSweeps), now);
  }

  private async rejoin(): Promise<void> {
    const before = this.memberId;
    const memberId = randomId();
    await this.join(memberId, before);
    this.memberId = memberId;
    this.formerIds.push(before);
    this.mustRenew = false;
    this.live.remove(before);
  }

  private restoreInBackground(): void {
    if (this.formerIds.length === 0) return;
    this.restoring ??= this.restore()
      .catch((error: unknown) =>
        this.logger.warn('restore', 'Restoring data in Redis failed and will be retried', error),
      )
      .finally(() => (this.restoring = undefined));
  }

  private async restore(): Promise<void> {
    const { memberId } = this;
    await this.listener?.restore();
    if (memberId !== this.memberId || this.closed) return;
    const former = this.formerIds;
    this.formerIds = [];
    for (const before of former) {
      for (const listener of this.rejoinedListeners) listener(before);
    }
    this.beatSoon(0); // finds what is left under the former ids
  }

  /**
   * Only a process whose own beats never paused can tell that another one was silent: after an outage of Redis, all
   * were. What is left under its own former ids is swept once everything is in Redis under the present one.
   */
  private sweepInBackground(
    beats: readonly [string, number][],
    openSweeps: readonly [string, string][],
    now: number,
  ): void {
    if (this.formerIds.length > 0 || this.listener?.sweeps === 'not yet') return;
    const own = openSweeps.filter(([, by]) => by === this.memberId);
    const isSteady = performance.now() - this.steadySince >= this.config.serverTimeoutMs;
    const patience = this.listener?.sweeps === 'first' ? 1 : 2;
    const silent = beats.filter(([, beat]) => isSteady && this.live.isSilent(beat, now, patience));
    const orphaned = openSweeps.filter(([, by]) => isSteady && !this.live.hasBeat(by));
    const dead = new Set([...own, ...silent, ...orphaned].map(([member]) => member));
    this.sweeps
      .run([...dead], this.memberId)
      .catch((error: unknown) =>
        this.logger.warn('sweep', 'Sweeping a dead server failed and will be retried', error),
      );
  }

  private async sweep(member: string): Promise<void> {
    this.live.remove(member);
    await this.listener?.sweep(member);
  }
}

function pairsOf(flat: readonly string[]): [string, string][] {
  return Array.from({ length: flat.length / 2 }, (_, at) => [flat[2 * at]!, flat[2 * at + 1]!]);
}
