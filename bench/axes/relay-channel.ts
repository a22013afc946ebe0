/* From server to server: what an event for everybody costs a server that receives it, beyond writing to its clients. */
import { startRedis } from '../../test/support/redis-server.js';
import type { PeerName } from '../peers/index.js';
import { Rig } from '../peers/rig.js';
import { clientsText, endEach, measureEach, SEVERAL_SERVERS, startEach } from '../peers/rigs.js';
import type { Section } from '../report/figures.js';
import { median, medianAndLeast } from '../support/statistics.js';
import type { Scale } from './axis.js';

const FEW = 1;
const MANY = 51;
/** The fourth server: its connection listens to something else. */
const ASIDE = 3;
const PER_TICK = [1, 16];
const COLUMNS: readonly (readonly [part: keyof Shares, title: string])[] = [
  ['publisher', 'publisher'],
  ['redis', 'Redis'],
  ['none', 'nobody listens'],
  ['few', `${FEW} connection`],
  ['many', `${MANY} connections`],
];

/** Per event, in microseconds of CPU: of the publisher, of Redis, and of a server with so many connections that listen. */
interface Shares {
  readonly publisher: number;
  readonly redis: number;
  readonly none: number;
  readonly few: number;
  readonly many: number;
}

export async function run(
  { quick, rounds }: Scale,
  peers: readonly PeerName[] = quick ? SEVERAL_SERVERS.slice(0, 4) : SEVERAL_SERVERS,
): Promise<Section> {
  const rigs = await startEach(peers, startCluster);
  const costs = new Map<string, Shares[]>();
  const events = quick ? 1_500 : 10_000;
  for (const perTick of PER_TICK) {
    for (const rig of rigs) await measureOne(rig, perTick, events);
    const figures = await measureEach(rounds, rigs, (rig) => measureOne(rig, perTick, events));
    for (const [name, own] of figures) costs.set(`${name} ${perTick}`, own);
  }
  await endEach(rigs);
  const of = (part: keyof Shares, name: PeerName, perTick: number): number[] =>
    costs.get(`${name} ${perTick}`)!.map((cost) => cost[part]);
  const ratio = (part: keyof Shares, name: PeerName, perTick: number): number =>
    median(of(part, name, perTick)) / median(of(part, 'socket.io classic', perTick));
  const rowOf = (name: PeerName, perTick: number): string[] =>
    COLUMNS.flatMap(([part]) => [
      medianAndLeast(of(part, name, perTick), 1),
      ratio(part, name, perTick).toFixed(2),
    ]);
  return {
    title: 'Across servers: an event for everybody',
    text:
      `Four servers on one Redis: the first publishes, the second has ${FEW} connection that listens, the third ${MANY}; that ` +
      'of the fourth listens to another event of the same service, so it receives the event and has nothing to write. CPU in ' +
      'microseconds per event that each of them and Redis pay: median (least), and the ratio to the classic adapter. With the ' +
      'sharded adapter of socket.io the event does not reach the fourth server, since nobody there is in the room. "ioredis + ' +
      'ws" is what these two libraries alone cost, with nothing around them. ' +
      clientsText(rigs),
    tables: PER_TICK.map((perTick) => ({
      title: `${perTick} per tick`,
      head: ['', ...COLUMNS.flatMap(([, title]) => [title, 'ratio'])],
      rows: peers.map((name) => [name, ...rowOf(name, perTick)]),
    })),
    charts: [],
    verdicts: PER_TICK.map((perTick) => ({
      what: `channel relay, receiver beyond the writes, ${perTick} per tick, of socket.io classic`,
      figure: ratio('none', 'loopws', perTick),
      limit: 0.5,
    })),
  };
}

async function startCluster(name: PeerName): Promise<Rig> {
  const { url } = await startRedis();
  const rig = await Rig.start(name, {
    handlers: 0,
    subscriptions: 1,
    servers: 4,
    aside: ASIDE,
    redis: url,
  });
  await rig.connect(FEW, 1);
  await rig.connect(MANY, 2);
  await rig.connect(1, ASIDE);
  return rig;
}

async function measureOne(rig: Rig, perTick: number, events: number): Promise<Shares> {
  const listeners = Array.from({ length: FEW + MANY }, (_, at) => at);
  const { servers, redisMicros } = await rig.measure(() =>
    rig.publish({ events, perTick, bytes: 200 }, listeners),
  );
  const [publisher = 0, few = 0, many = 0, none = 0] = servers.map((micros) => micros / events);
  return { publisher, redis: redisMicros / events, none, few, many };
}
