/* From server to server: what an event for everybody costs a server that receives it, beyond writing to its clients. */
import { startRedis } from '../../test/support/redis-server.js';
import type { PeerName } from '../peers/index.js';
import { Rig } from '../peers/rig.js';
import { endEach, measureEach, SEVERAL_SERVERS, startEach } from '../peers/rigs.js';
import type { Section } from '../report/figures.js';
import { median, medianAndLeast } from '../support/statistics.js';
import type { Scale } from './axis.js';

const FEW = 1;
const MANY = 51;
const PER_TICK = [1, 16];

interface Line {
  /** Per event, whoever gets it. */
  readonly perEvent: number;
  /** Per event and connection. */
  readonly perDelivery: number;
}

export async function run({ quick, rounds }: Scale): Promise<Section> {
  const peers = quick ? SEVERAL_SERVERS.slice(0, 3) : SEVERAL_SERVERS;
  const rigs = await startEach(peers, startCluster);
  const lines = new Map<string, Line[]>();
  for (const perTick of PER_TICK) {
    for (const rig of rigs) await measureOne(rig, perTick, 1_500);
    const events = quick ? 1_500 : 3_000;
    const figures = await measureEach(rounds, rigs, (rig) => measureOne(rig, perTick, events));
    for (const [name, own] of figures) lines.set(`${name} ${perTick}`, own);
  }
  await endEach(rigs);
  const perEvent = (name: PeerName, perTick: number): number[] =>
    lines.get(`${name} ${perTick}`)!.map((line) => line.perEvent);
  const ratio = (name: PeerName, perTick: number): number =>
    median(perEvent(name, perTick)) / median(perEvent('socket.io classic', perTick));
  return {
    title: 'Across servers: an event for everybody',
    text:
      `Three servers on one Redis: the first publishes, the second has ${FEW} connection, the third ${MANY}. What the ` +
      'two cost tells the part that does not depend on the connections: CPU in microseconds per event that a receiving ' +
      'server pays beyond writing to its clients, median (least).',
    tables: PER_TICK.map((perTick) => ({
      title: `${perTick} per tick`,
      head: ['', 'per event', 'per delivery', 'per event, of classic'],
      rows: peers.map((name) => [
        name,
        medianAndLeast(perEvent(name, perTick), 1),
        medianAndLeast(
          lines.get(`${name} ${perTick}`)!.map((line) => line.perDelivery),
          1,
        ),
        ratio(name, perTick).toFixed(2),
      ]),
    })),
    charts: [],
    verdicts: PER_TICK.map((perTick) => ({
      what: `channel relay, receiver, ${perTick} per tick, of socket.io classic`,
      figure: ratio('loopws', perTick),
      limit: 0.5,
    })),
  };
}

async function startCluster(name: PeerName): Promise<Rig> {
  const { url } = await startRedis();
  const rig = await Rig.start(name, { handlers: 0, subscriptions: 1, servers: 3, redis: url });
  await rig.connect(FEW, 1);
  await rig.connect(MANY, 2);
  return rig;
}

/** Two servers with different numbers of connections make a line: its slope is a delivery, where it begins the event. */
async function measureOne(rig: Rig, perTick: number, events: number): Promise<Line> {
  const { servers } = await rig.measure(() => rig.publish({ events, perTick, bytes: 200 }));
  const [, few, many] = servers.map((micros) => micros / events);
  const perDelivery = (many! - few!) / (MANY - FEW);
  return { perEvent: few! - perDelivery * FEW, perDelivery };
}
