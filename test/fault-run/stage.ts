import { setTimeout as delay } from 'node:timers/promises';
import { checkDelivery, type ClientDiary, type Verdict } from '../../lib/testing/index.js';
import { eventually } from '../support/eventually.js';
import { endRedisServers, startRedis } from '../support/redis-server.js';
import { endSentinels, SentinelGroup } from '../support/sentinel-group.js';
import { closeProxies, TcpProxy } from '../support/tcp-proxy.js';
import { Crowd } from './crowd.js';
import type { Random } from './random.js';
import { causesOfResets, type ResetCauses } from './reset-causes.js';
import { SERVERS } from './scale.js';
import { FaultServers } from './servers.js';
import { type Bucket, BUCKET_MS, type Span } from './timeline.js';
import { Published, type World } from './world.js';

/** Between two faults, so that clients come and go in peace as well. */
const PEACE_MS = 1_000;

/** How long what was pushed last may take: longer than a round of the check that finds a lost last event. */
const QUIET_MS = 20_000;

export interface StageResult {
  readonly verdict: Verdict;
  readonly published: number;
  readonly unknown: number;
  readonly resetCauses: ResetCauses;
  readonly spans: readonly Span[];
  readonly buckets: readonly Bucket[];
}

type NamedFault = readonly [name: string, fault: (world: World, random: Random) => Promise<void>];

/** Servers, clients and publishers on one Redis, and the faults that they live through. */
export class Stage {
  private readonly beganAt = Date.now();
  private readonly spans: Span[] = [];
  private readonly buckets: Bucket[] = [];
  /** How much of each diary has been counted. */
  private readonly looked = new Map<object, number>();

  private constructor(
    private readonly world: World,
    private readonly random: Random,
  ) {}

  static async onOneRedis(random: Random): Promise<Stage> {
    const redis = await startRedis();
    const proxies = await Promise.all(
      Array.from({ length: SERVERS }, () => TcpProxy.start(redis.port)),
    );
    const urlOf = (index: number): string => `redis://127.0.0.1:${proxies[index]!.port}`;
    const { servers, crowd, published } = await populate(urlOf);
    return new Stage({ redis, proxies, servers, crowd, published, losses: [] }, random);
  }

  static async onSentinels(random: Random): Promise<Stage> {
    const group = await SentinelGroup.start();
    const { servers, crowd, published } = await populate(() => group.options);
    const redis = group.master;
    return new Stage({ redis, proxies: [], group, servers, crowd, published, losses: [] }, random);
  }

  /** Lets the faults happen, one after the other, and holds what clients saw against what was published. */
  async play(faults: readonly NamedFault[]): Promise<StageResult> {
    const { servers, crowd, published, losses } = this.world;
    const watching = setInterval(() => this.look(), BUCKET_MS);
    await eventually('everybody is connected', () => crowd.isWhole, QUIET_MS);
    for (const [name, fault] of faults) await this.suffer(name, fault);
    crowd.calm();
    await servers.untilWell((name) => published.lastConfirmed(name));
    await servers.stopPushing();
    await this.untilQuiet();
    clearInterval(watching);
    const diaries = this.diaries();
    const all = published.all;
    return {
      verdict: checkDelivery(all, diaries),
      published: all.length,
      unknown: all.filter(({ outcome }) => outcome === 'unknown').length,
      resetCauses: causesOfResets(diaries, losses),
      spans: this.spans,
      buckets: this.buckets,
    };
  }

  async end(): Promise<void> {
    const { crowd, servers } = this.world;
    await crowd.stop();
    await servers.end();
    closeProxies();
    endSentinels();
    endRedisServers();
  }

  private async suffer(name: string, fault: NamedFault[1]): Promise<void> {
    const { servers, published } = this.world;
    const from = this.now();
    await fault(this.world, this.random);
    const until = this.now();
    await servers.untilWell((server) => published.lastConfirmed(server));
    this.spans.push({ name, from, until, wellAt: this.now() });
    console.log(`${String(Math.round(from / 100) / 10).padStart(6)} s  ${name}`);
    await delay(PEACE_MS);
  }

  /** Whoever has not got the last events yet gets them, or never will. */
  private async untilQuiet(): Promise<void> {
    const { crowd, published } = this.world;
    const isQuiet = async (): Promise<boolean> => {
      await Promise.all(crowd.visitors.map(({ client }) => client.catchUp().catch(() => {})));
      return crowd.isWhole && checkDelivery(published.all, this.diaries()).findings.length === 0;
    };
    const until = performance.now() + QUIET_MS;
    while (!(await isQuiet()) && performance.now() < until) await delay(500);
  }

  private diaries(): ClientDiary[] {
    return this.world.crowd.visitors.map(({ client }) => client.diary);
  }

  private look(): void {
    const seen = { deliveries: 0, resumes: 0, resets: 0 };
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

async function populate(
  redis: ConstructorParameters<typeof FaultServers>[0],
): Promise<Pick<World, 'servers' | 'crowd' | 'published'>> {
  const published = new Published();
  const servers = new FaultServers(redis, published.record);
  await Promise.all(Array.from({ length: SERVERS }, (_, index) => servers.start(index)));
  const crowd = new Crowd(() => servers.running[Math.floor(Math.random() * SERVERS)]!.url);
  return { servers, crowd, published };
}
