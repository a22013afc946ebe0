/*
 * A server dies, and all its clients come back to another one at once: how long until each has what it missed, and how long
 * the event loop of that server is blocked meanwhile.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { endRedisServers, startRedis } from '../../test/support/redis-server.js';
import { RedisMeter } from '../support/redis-meter.js';
import { endRemotes, Remote } from '../support/remote.js';
import { conditions, table } from '../support/report.js';
import type { ResumeProcess } from './resume-process.js';

const CLIENTS = Number(process.env.CLIENTS ?? 10_000);
const MISSED_BY_ALL = 20;
/** How far apart they come: what a backoff with jitter makes of clients that lost their server in the same moment. */
const SPREAD_MS = 1_000;
const CHUNK = 500;

interface Frame {
  readonly op?: string;
  readonly positions?: Readonly<Record<string, string>>;
  readonly resumed?: Readonly<Record<string, number>>;
  readonly reset?: Readonly<Record<string, string>>;
}

interface Client {
  readonly account: string;
  socket: WebSocket;
  positions: Readonly<Record<string, string>>;
}

function dial(port: number, account: string, query = ''): WebSocket {
  const headers = { authorization: `Bearer ${account}` };
  return new WebSocket(`ws://127.0.0.1:${port}/ws?connectionId=c${query}`, { headers });
}

function nextFrame(socket: WebSocket, op: string): Promise<Frame> {
  return new Promise((resolve, reject) => {
    const receive = (data: Buffer): void => {
      const frame = JSON.parse(String(data)) as Frame;
      if (frame.op !== op) return;
      socket.off('message', receive);
      resolve(frame);
    };
    socket.on('message', receive);
    socket.once('error', reject);
    socket.once('close', (code) => reject(new Error(`Closed with ${code}.`)));
  });
}

async function arrive(port: number, account: string): Promise<Client> {
  const socket = dial(port, account);
  const { positions = {} } = await nextFrame(socket, 'welcome');
  return { account, socket, positions };
}

/** Resolves with how many events it had missed, and how many topics were reset. */
async function comeBack(port: number, client: Client): Promise<{ missed: number; resets: number }> {
  await delay(Math.random() * SPREAD_MS);
  for (let attempt = 0; ; attempt++) {
    try {
      client.socket = dial(port, client.account, '&resume=1');
      await nextFrame(client.socket, 'welcome');
      const since = client.positions;
      client.socket.send(JSON.stringify({ op: 'subscribe', id: 1, patterns: [], since }));
      const { resumed = {}, reset = {} } = await nextFrame(client.socket, 'ok');
      const missed = Object.values(resumed).reduce((sum, count) => sum + count, 0);
      return { missed, resets: Object.keys(reset).length };
    } catch (error) {
      if (attempt === 5) throw error;
      await delay(Math.random() * SPREAD_MS);
    }
  }
}

const redis = await startRedis();
const meter = new RedisMeter(redis.url);
console.log(conditions(await meter.version()));
const entry = new URL('resume-process.js', import.meta.url);
const [dying, living, publisher] = [0, 1, 2].map(() => new Remote<ResumeProcess>(entry));
const [portBefore, portAfter] = await Promise.all(
  [dying!, living!, publisher!].map((server, at) =>
    server.call('start', { redis: redis.url, serverId: `server${at}` }),
  ),
);
const clients: Client[] = [];
while (clients.length < CLIENTS) {
  const accounts = Array.from({ length: CHUNK }, (_, at) => `a${clients.length + at}`);
  clients.push(...(await Promise.all(accounts.map((account) => arrive(portBefore!, account)))));
}
await dying!.end();
const accounts = clients.map(({ account }) => account);
await publisher!.call('push', { toAll: MISSED_BY_ALL, accounts });
const evalsBefore = await meter.calls('evalsha');
await living!.call('watch', undefined);
const began = performance.now();
const outcomes = await Promise.all(clients.map((client) => comeBack(portAfter!, client)));
const seconds = (performance.now() - began) / 1_000;
const report = await living!.call('report', undefined);
const missed = outcomes.reduce((sum, outcome) => sum + outcome.missed, 0);
const resets = outcomes.reduce((sum, outcome) => sum + outcome.resets, 0);
console.log(
  table(
    [
      'clients',
      'seconds',
      'replayed',
      'resets',
      'scripts',
      'longest block ms',
      'own ms',
      'longest GC ms',
      'CPU ms',
    ],
    [
      [
        `${CLIENTS}`,
        seconds.toFixed(2),
        `${missed}`,
        `${resets}`,
        `${(await meter.calls('evalsha')) - evalsBefore}`,
        report.longestDelayMs.toFixed(0),
        report.longestOwnMs.toFixed(0),
        report.longestCollectionMs.toFixed(0),
        report.cpuMs.toFixed(0),
      ],
    ],
  ),
);
if (missed !== CLIENTS * (MISSED_BY_ALL + 1) || resets > 0)
  throw new Error('Something was not replayed.');
await endRemotes();
endRedisServers();
process.exit();
