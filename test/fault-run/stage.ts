import { setTimeout as delay } from 'node:timers/promises';
import { checkDelivery, type ClientDiary, type Verdict } from '../../lib/testing/index.js';
import { eventually } from '../support/eventually.js';
import { endRedisServers } from '../support/redis-server.js';
import { endSentinels } from '../support/sentinel-group.js';
import { closeProxies } from '../support/tcp-proxy.js';
import { expectationsOf } from './expectations.js';
import { Lag } from './lag.js';
import type { Loss } from './losses.js';
import type { NamedFault } from './plan.js';
import type { Random } from '../support/random.js';
import { causesOfResets, type ResetCauses } from './reset-causes.js';
import { type Bucket, BUCKET_MS, type Span } from './timeline.js';
import type { World } from './world.js';

/** Between two faults, so that clients come and go in peace as well. */
const PEACE_MS = 1_500;

/** How long what was pushed last may take: longer than a round of the check that finds a lost last event. */
const QUIET_MS = 20_000;

export interface StageResult {
  readonly title: string;
  readonly verdict: Verdict;
  readonly published: number;
  readonly unknown: number;
  /** How long the clients could not look, at most, in milliseconds. */
  readonly longestLag: number;
  readonly losses: readonly Loss[];
  readonly resetCauses: ResetCauses;
  readonly spans: readonly Span[];
  readonly buckets: readonly Bucket[];
}

/** Faults that servers, clients and publishers live through. */
export class Stage {
  private readonly beganAt = Date.now();
  private readonly lag = new Lag();
  private readonly spans: Span[] = [];
  private readonly buckets: Bucket[] = [];
  /** How much of each diary has been counted. */
  private readonly looked = new Map<object, number>();

  constructor(
    private readonly title: string,
    private readonly world: World,
    private readonly random: Random,
  ) {}

  /** Lets the faults happen, one after the other, and holds what clients saw against what was published. */
  async play(faults: readonly NamedFault[]): Promise<StageResult> {
    const { servers, crowd, published, losses } = this.world;
    console.log(this.title);
    const watching = setInterval(() => this.look(), BUCKET_MS);
    await eventually('everybody is connected', () => crowd.isWhole, QUIET_MS);
    await delay(PEACE_MS);
    for (const fault of faults) await this.suffer(fault);
    crowd.calm();
    await servers.untilWell((name) => published.lastConfirmed(name));
    await servers.stopPushing();
    await this.untilQuiet();
    clearInterval(watching);
    const all = published.all;
    return {
      title: this.title,
      verdict: this.verdict(),
      published: all.length,
      unknown: all.filter(({ outcome }) => outcome === 'unknown').length,
      longestLag: this.lag.longest,
      losses,
      resetCauses: this.causes(),
      spans: this.spans,
      buckets: this.buckets,
    };
  }

  async end(): Promise<void> {
    const { crowd, servers } = this.world;
    this.lag.end();
    await crowd.stop();
    await servers.end();
    closeProxies();
    endSentinels();
    endRedisServers();
  }

  private async suffer([name, fault]: NamedFault): Promise<void> {
    const { servers, published } = this.world;
    const from = this.now();
    console.log(`${String(Math.round(from / 100) / 10).padStart(6)} s  ${name}`);
    await fault(this.world, this.random);
    const until = this.now();
    await servers.untilWell((server) => published.lastConfirmed(server));
    this.spans.push({ name, from, until, wellAt: this.now() });
    await delay(PEACE_MS);
  }

  /** Whoever has not got the last events yet, or was not told of the last loss, is now or never will be. */
  private async untilQuiet(): Promise<void> {
    const { crowd } = this.world;
    const isQuiet = async (): Promise<boolean> => {
      await crowd.catchUp();
      if (!crowd.isWhole || this.causes().unreported.length > 0) return false;
      return this.verdict().findings.length === 0;
    };
    const until = performance.now() + QUIET_MS;
    while (!(await isQuiet()) && performance.now() < until) await delay(500);
  }

  private verdict(): Verdict {
    const { published, crowd } = this.world;
    const expectations = expectationsOf(crowd.visitors, this.spans, this.beganAt, this.lag);
    return checkDelivery(published.all, this.diaries(), expectations);
  }

  private causes(): ResetCauses {
    return causesOfResets(this.diaries(), this.world.losses);
  }

  private diaries(): ClientDiary[] {
    return this.world.crowd.visitors.map(({ diary }) => diary);
  }

  private look(): void {
    const seen = { at: this.now(), deliveries: 0, resumes: 0, resets: 0 };
    for (const { sightings } of this.diaries()) {
      for (const sighting of sightings.slice(this.looked.get(sightings) ?? 0)) {
        if (sighting.kind === 'event') seen.deliveries++;
        if (sighting.kind === 'reset') seen.resets++;
        if (sighting.kind === 'connected' && sighting.resumed) seen.resumes++;
      }
      this.looked.set(sightings, sightings.length);
    }
    this.buckets.push(seen);
  }

  private now(): number {
    return Date.now() - this.beganAt;
  }
}
