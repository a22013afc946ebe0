/*
 * A server with 100 000 accounts loses its connections to Redis: how long until everything is in place again, and how
 * long its event loop is blocked meanwhile.
 */
import { eventually } from '../../test/support/eventually.js';
import { endRedisServers, startRedis } from '../../test/support/redis-server.js';
import type { EventLoopReport } from '../support/event-loop-watch.js';
import { RedisMeter } from '../support/redis-meter.js';
import { endRemotes, Remote } from '../support/remote.js';
import { conditions, table } from '../support/report.js';
import { medianAndWorst } from '../support/statistics.js';
import type { ReattachProcess } from './reattach-process.js';

const ACCOUNTS = 100_000;
const PARTITIONS = 64;
const ROUNDS = 5;
const DEADLINE_MS = 60_000;

interface Step extends EventLoopReport {
  readonly seconds: number;
}

/** One server on a Redis of its own. What it does is measured by name. */
class Stage {
  private constructor(
    readonly meter: RedisMeter,
    private readonly server: Remote<ReattachProcess>,
    private readonly ownChannels: number,
    private readonly steps: Map<string, Step[]>,
  ) {}

  static async start(steps: Map<string, Step[]>): Promise<Stage> {
    const redis = await startRedis();
    const meter = new RedisMeter(redis.url);
    const server = new Remote<ReattachProcess>(new URL('reattach-process.js', import.meta.url));
    await server.call('start', { redis: redis.url });
    return new Stage(meter, server, await meter.channels(), steps);
  }

  async attach(): Promise<void> {
    await this.measure('attach', () => this.server.call('attach', { accounts: ACCOUNTS }));
  }

  async register(): Promise<void> {
    await this.measure('register', () => this.server.call('register', { accounts: ACCOUNTS }));
  }

  async cutWithTopics(): Promise<void> {
    await this.measure('cut, topics', async () => {
      await this.meter.cutEveryone();
      await this.untilSubscribed();
    });
  }

  async cutWithPresence(): Promise<void> {
    const partitions = await this.meter.calls('smembers');
    await this.measure('cut, topics and presence', async () => {
      await this.meter.cutEveryone();
      await this.untilSubscribed();
      await this.until(
        'presence is verified',
        async () => (await this.meter.calls('smembers')) >= partitions + PARTITIONS,
      );
    });
    await this.requirePresence();
  }

  async loseEverything(): Promise<void> {
    const keys = await this.meter.keys();
    await this.measure('data lost and cut', async () => {
      await this.meter.loseEverything();
      await this.untilSubscribed();
      await this.until('presence is there', async () => (await this.meter.keys()) >= keys);
    });
    await this.requirePresence();
  }

  private async requirePresence(): Promise<void> {
    const { connections } = await this.server.call('count', undefined);
    if (connections !== ACCOUNTS) throw new Error(`Presence has ${connections} connections.`);
  }

  private untilSubscribed(): Promise<void> {
    const wanted = this.ownChannels + ACCOUNTS;
    return this.until('all is subscribed', async () => (await this.meter.channels()) === wanted);
  }

  private until(what: string, holds: () => Promise<boolean>): Promise<void> {
    return eventually(what, holds, DEADLINE_MS);
  }

  private async measure(name: string, work: () => Promise<void>): Promise<void> {
    await this.server.call('watch', undefined);
    const began = performance.now();
    await work();
    const seconds = (performance.now() - began) / 1_000;
    const report = await this.server.call('report', undefined);
    this.steps.set(name, [...(this.steps.get(name) ?? []), { seconds, ...report }]);
  }
}

function stepTable(steps: ReadonlyMap<string, readonly Step[]>): string {
  const rows = [...steps].map(([name, rounds]) => {
    const cell = (field: keyof Step, digits: number): string =>
      medianAndWorst(
        rounds.map((round) => round[field]),
        digits,
      );
    return [
      name,
      `${rounds.length}`,
      cell('seconds', 2),
      cell('longestDelayMs', 0),
      cell('latestTimerMs', 0),
      cell('longestOwnMs', 0),
      cell('longestCollectionMs', 0),
      cell('collectionsMs', 0),
      cell('cpuMs', 0),
    ];
  });
  const head = [
    'step',
    'rounds',
    'seconds',
    'longest block ms',
    'by a timer ms',
    'own ms',
    'longest GC ms',
    'all GC ms',
    'CPU ms',
  ];
  return table(head, rows);
}

const steps = new Map<string, Step[]>();
const topics = await Stage.start(steps);
console.log(conditions(await topics.meter.version()));
console.log(`${ACCOUNTS} accounts. Each cell: median (worst).\n`);
await topics.attach();
for (let round = 0; round < ROUNDS; round++) await topics.cutWithTopics();
await endRemotes();
const both = await Stage.start(steps);
await both.attach();
await both.register();
for (let round = 0; round < ROUNDS; round++) await both.cutWithPresence();
for (let round = 0; round < ROUNDS; round++) await both.loseEverything();
console.log(stepTable(steps));
await endRemotes();
endRedisServers();
process.exit();
