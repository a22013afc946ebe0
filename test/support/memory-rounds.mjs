/*
 * Two servers of one bus, of which one pushes to the other in rounds while Redis cuts their connections. Tells the test
 * how large the heap is after the first rounds and after the last, when everything has settled.
 */
import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { startServer } from './round-server.mjs';
import { settledHeap } from './settled-heap.mjs';

const { EventBus, LoopTransport } = await import(process.env.LOOPWS_LIB);
const { LoopTestClient } = await import(process.env.LOOPWS_TESTING);

const WARM_UP = 5;
const ROUNDS = 12;
const PUSHES = 2_000;

const admin = new Redis(process.env.LOOPWS_REDIS);
const rejections = [];
process.on('unhandledRejection', (error) => rejections.push(String(error)));

const CONFIG = {
  serverBeatMs: 100,
  serverTimeoutMs: 5_000,
  redisCommandTimeoutMs: 2_000,
  redisReconnectBaseMs: 10,
  redisReconnectCapMs: 50,
  receiptTimeoutMs: 300,
  maxQueueBytes: 100_000_000,
  topicLingerMs: 0,
};

const [pusher, receiver] = [
  await startServer('pusher', CONFIG),
  await startServer('receiver', CONFIG),
];
const bus = pusher.get(EventBus);
const transport = pusher.get(LoopTransport);

async function untilWhole(connectionId) {
  while ((await bus.pushToConnection('acme', connectionId, 'chat:n', 0)) !== 'delivered') {
    await delay(5);
  }
}

/** Looks in every turn, since the connections come back soon. */
async function untilCut() {
  while (transport.isLive) await turn();
}

function pushMany(connectionId) {
  return Array.from({ length: PUSHES }, (_, id) =>
    bus.pushToConnection(
      id % 2 ? 'acme' : `nobody-${connectionId}-${id}`,
      connectionId,
      'chat:n',
      id,
    ),
  );
}

/** Pushes that are answered, pushes and a question that are under way when every connection is cut, and pushes after it. */
async function round(n) {
  const connectionId = `c${n}`;
  const client = await LoopTestClient.connect(receiver, { token: 'acme', connectionId });
  await untilWhole(connectionId);
  await Promise.all(pushMany(connectionId));
  const asked = bus.ask('acme', connectionId, 'chat:q', n, { timeoutMs: 300 }).catch(() => {});
  const cut = pushMany(connectionId);
  const noticed = untilCut();
  await Promise.all([
    admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub'),
    admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'),
  ]);
  await noticed;
  await Promise.all([...cut, ...pushMany(connectionId), asked]);
  await untilWhole(connectionId);
  await client.close();
}

async function heapAfter(from, to) {
  for (let n = from; n < to; n++) await round(n);
  return settledHeap();
}

const base = await heapAfter(0, WARM_UP);
const end = await heapAfter(WARM_UP, WARM_UP + ROUNDS);
process.send({ base, end, rejections });
process.disconnect();
process.exit();
