import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from './random.js';
import { ACCOUNTS, HISTORY_SIZE, SERVERS } from './scale.js';
import type { World } from './world.js';

/** Does its damage and ends it. What is broken then has to mend by itself. */
type Fault = (world: World, random: Random) => Promise<void>;

function loses(world: World, kind: string, account?: string): void {
  world.losses.push({ kind, at: Date.now(), ...(account !== undefined && { account }) });
}

export const FAULTS = {
  async 'server killed'({ servers }, random) {
    const index = random.below(SERVERS);
    await servers.kill(index, 'SIGKILL');
    await delay(500);
    await servers.start(index);
  },

  async 'rolling restart'({ servers }) {
    for (let index = 0; index < SERVERS; index++) {
      await servers.kill(index, 'SIGTERM');
      await servers.start(index);
    }
  },

  async 'Redis killed empty'(world) {
    loses(world, 'Redis killed empty');
    await world.redis.kill();
    await delay(500);
    await world.redis.start();
  },

  async 'Redis paused'({ redis }) {
    redis.pause();
    await delay(2_000);
    redis.resume();
  },

  async 'connections killed'({ redis }, random) {
    for (let n = 0; n < 3; n++) {
      await redis.command('CLIENT', 'KILL', 'TYPE', random.pick(['pubsub', 'normal']));
      await delay(200);
    }
  },

  async 'black hole'({ proxies }, random) {
    const proxy = random.pick(proxies);
    proxy.blackHole();
    await delay(2_500);
    proxy.heal();
  },

  async 'slow link'({ proxies }) {
    for (const proxy of proxies) proxy.slowDown(80);
    await delay(2_000);
    for (const proxy of proxies) {
      proxy.slowDown(0);
      proxy.cut(); // else what is under way would be overtaken
    }
  },

  async FLUSHALL(world) {
    loses(world, 'FLUSHALL');
    await world.redis.command('FLUSHALL');
  },

  async 'history trimmed'(world, random) {
    const account = `a${random.below(ACCOUNTS)}`;
    const comeBack = world.crowd.sendAway(account);
    loses(world, 'history trimmed', account);
    await world.servers.flood(random.below(SERVERS), account, 2 * HISTORY_SIZE + 100);
    comeBack();
  },

  async 'half of the clients drop'({ crowd }) {
    crowd.dropSome(crowd.visitors.length / 2);
    await delay(500);
  },
} satisfies Readonly<Record<string, Fault>>;

/** What only a group with a replica can suffer. */
export const FAILOVERS = {
  async 'failover with lost writes'(world) {
    const group = world.group!;
    group.losesWrites();
    await delay(1_000);
    loses(world, 'failover with lost writes');
    await group.master.kill();
    await group.failedOver();
  },
} satisfies Readonly<Record<string, Fault>>;

/** In random order with those that need nothing else. */
export function planWithFailover(random: Random): [name: string, fault: Fault][] {
  return random.shuffled([
    ...Object.entries(FAILOVERS),
    ...Object.entries(FAULTS).filter(([name]) => ANYWHERE.has(name)),
  ]);
}

/** Faults of servers and clients only. */
const ANYWHERE: ReadonlySet<string> = new Set([
  'server killed',
  'rolling restart',
  'half of the clients drop',
] satisfies FaultName[]);

export type FaultName = keyof typeof FAULTS;

/** Each fault once in random order before any comes again. */
export function planOf(random: Random, count: number): FaultName[] {
  const names = Object.keys(FAULTS) as FaultName[];
  const plan: FaultName[] = [];
  while (plan.length < count) plan.push(...random.shuffled(names));
  return plan.slice(0, count);
}
