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

/** Grows when processes of two versions can no longer understand each other. */
const PROTOCOL_MAJOR = 1;

type BeatReply = [string, number, string[], string[], 0 | 1];

export interface MembershipListener {
  /** Who sweeps last leaves the dead to others for as long again as it takes to be dead. */
  readonly sweeps: 'not yet' | 'first' | 'last';
  /** One process is told of each dead one, and told again until it resolves: then nothing of it is left. */
  sweep(memberId: string): Promise<void>;
  /** Others took this process for dead and swept it, or Redis lost its data. `restore` follows. */
  lost(how: 'swept' | 'forgotten'): void;
  /**
   * Redis does not know this process any more, and `memberId` is a new one. Resolves when everything of this process
   * is in Redis again; called again until it does.
   */
  restore(): Promise<void>;
}

/**
 * The processes that form the cluster. Each beats; one that was silent for `serverTimeoutMs` is dead and never comes
 * back: should it live, it joins under a new id, so what is swept is never what somebody just wrote. It joins before it
 * writes, so whatever an id wrote is swept once it is gone.
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
  /** Ids that this process had until everything is in Redis again under the present one. */
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

  /** How many processes are in the cluster, this one and those included that may have just died. */
  get size(): number {
    return new Set([...this.live.ids, this.memberId]).size;
  }

  /** Whether every process that may be alive is known to Redis, and this one with all that it has. */
  get isWhole(): boolean {
    return this.isRestored && this.live.haveAllBeat;
  }

  /** Whether Redis has everything of this process, as far as this process knows. */
  get isRestored(): boolean {
    return this.formerIds.length === 0 && !this.mustRenew;
  }

  /** Whether every process is known that had joined by then, in the time of `performance.now()`. */
  knewAllAt(ms: number): boolean {
    return this.heardAt >= ms;
  }

  /** The time of Redis in milliseconds, as far as the beats tell. */
  redisNow(): number {
    return this.clock.now();
  }

  listen(listener: MembershipListener): void {
    this.listener = listener;
  }

  /** Called when everything is in Redis again under the new id. */
  onRejoined(listener: (before: string) => void): void {
    this.rejoinedListeners.push(listener);
  }

  /** Somebody said that it is here, before its next beat does. */
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

  /** Call it when nothing of this process is left in Redis. */
  async leave(): Promise<void> {
    this.stop();
    const { servers } = this.keys;
    await this.link.send(servers, 'ZREM', [servers, this.memberId]);
  }

  /** Without {@link leave} the others sweep this process in time. */
  async close(): Promise<void> {
    const hasWritten = this.listener !== undefined && this.listener.sweeps !== 'not yet';
    if (!hasWritten) await this.leave().catch(() => {});
    this.stop();
  }

  /** One at a time: two would both find out that this process must join again. */
  beatNow(): Promise<void> {
    this.beating ??= this.beat().finally(() => (this.beating = undefined));
    return this.beating;
  }

  /** Resolves when every process is known that had joined before the call. */
  async catchUp(): Promise<void> {
    await this.beating?.catch(() => {}); // it may have been read before the call
    await this.beatNow();
  }

  /** Some of what this member wrote is lost, so with the next beat it writes everything under a new id. */
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
      .catch((error: unknown) => this.logger.warn('restore', 'Restoring failed for now', error))
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
    this.beatSoon(0); // which finds what is left under the former ids
  }

  /**
   * Only a process that has itself been heard all the time can tell that another one was silent: after an outage of
   * Redis everybody was. What is left under its own former ids goes once everything is there under the present one.
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
      .catch((error: unknown) => this.logger.warn('sweep', 'A sweep failed for now', error));
  }

  private async sweep(member: string): Promise<void> {
    this.live.remove(member);
    await this.listener?.sweep(member);
  }
}

function pairsOf(flat: readonly string[]): [string, string][] {
  return Array.from({ length: flat.length / 2 }, (_, at) => [flat[2 * at]!, flat[2 * at + 1]!]);
}
