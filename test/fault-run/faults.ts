import { setTimeout as delay } from 'node:timers/promises';
import { placesIn } from './kept-places.js';
import type { Loss } from './losses.js';
import type { Random } from '../support/random.js';
import { ACCOUNTS, HISTORY_SIZE, SERVERS } from './scale.js';
import type { World } from './world.js';

/** Does its damage and ends it. What is broken then has to mend by itself. */
export type Fault = (world: World, random: Random) => Promise<void>;

/** Shorter with Sentinel, which would make the other one the master. */
const PAUSE_MS = 2_000;
const PAUSE_WITH_SENTINEL_MS = 700;

function loses(world: World, kind: string, more: Omit<Loss, 'kind' | 'at'> = {}): void {
  world.losses.push({ kind, at: Date.now(), ...more });
}

/** What a group with a replica suffers as well as one Redis. */
export const FAULTS_ANYWHERE = {
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

  async 'Redis paused'({ redis, group }) {
    redis.pause();
    await delay(group === undefined ? PAUSE_MS : PAUSE_WITH_SENTINEL_MS);
    redis.resume();
  },

  async 'connections killed'({ redis }, random) {
    for (let n = 0; n < 3; n++) {
      await redis.command('CLIENT', 'KILL', 'TYPE', random.pick(['pubsub', 'normal']));
      await delay(200);
    }
  },

  async 'black hole'({ links }, random) {
    const link = random.pick(links);
    link.blackHole();
    await delay(2_500);
    link.heal();
  },

  async 'slow link'({ links }) {
    for (const link of links) link.slowDown(80);
    await delay(2_000);
    for (const link of links) link.speedUp();
  },

  async FLUSHALL(world) {
    loses(world, 'FLUSHALL');
    await world.redis.command('FLUSHALL');
  },

  async 'history trimmed'(world, random) {
    const account = `a${random.below(ACCOUNTS)}`;
    const comeBack = await world.crowd.sendAway(account);
    loses(world, 'history trimmed', { account });
    // A history is cut when it is a little longer than it has to be.
    await world.servers.flood(random.below(SERVERS), account, HISTORY_SIZE + 200);
    comeBack();
  },

  async 'half of the clients drop'({ crowd }) {
    crowd.dropSome(crowd.visitors.length / 2);
    await delay(500);
  },
} satisfies Readonly<Record<string, Fault>>;

export const FAULTS_OF_ONE_REDIS = {
  ...FAULTS_ANYWHERE,

  async 'Redis killed empty'(world) {
    loses(world, 'Redis killed empty');
    await world.redis.kill();
    await delay(500);
    await world.redis.start();
  },
} satisfies Readonly<Record<string, Fault>>;

/** The master dies with writes that it had confirmed and that the replica has not. */
export async function failoverWithLostWrites({ group, published, losses }: World): Promise<void> {
  const { master, replica } = group!;
  const since = Date.now();
  group!.losesWrites();
  await delay(1_000);
  const kept = await placesIn(replica);
  const lostWrites = published.confirmedSince(since).filter(({ position }) => !kept.has(position!));
  losses.push({ kind: 'failover with lost writes', at: Date.now(), lostWrites });
  await master.kill();
  await group!.failedOver();
  await group!.rebuild();
}
