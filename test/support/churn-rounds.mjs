/*
 * Two servers of one bus, and clients that come to one of them in rounds: each subscribes, is joined to a room and is
 * asked by the other server; half of them answer and leave, half are cut instead. Tells the test how large the heap is
 * after the first rounds and after the last, and what is in the servers and in Redis before, between and after.
 */
import { isDeepStrictEqual } from 'node:util';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { WebSocket } from 'ws';
import { startServer } from './round-server.mjs';
import { settledHeap } from './settled-heap.mjs';

const { ConnectionRegistry, EventBus } = await import(process.env.LOOPWS_LIB);

const WARM_UP = 5;
const ROUNDS = 8;
const VISITS = 200;

/** Only when something stays behind: the rest is gone at once. */
const PATIENCE_MS = 10_000;

/** Two keys for each partition of the accounts: how much each server has in it. */
const OF_PARTITIONS = /:[mn]$/;

const admin = new Redis(process.env.LOOPWS_REDIS);
const rejections = [];
process.on('unhandledRejection', (error) => rejections.push(String(error)));

const CONFIG = {
  topicLingerMs: 0,
  presenceGraceMs: 0,
  serverBeatMs: 100,
  receiptTimeoutMs: 5_000,
};

const [asker, host] = [await startServer('asker', CONFIG), await startServer('host', CONFIG)];
const { port } = host.getHttpServer().address();
const registry = host.get(ConnectionRegistry);

/** One client from its beginning to its end, all of whose names are new. */
async function visit(name, isCut) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws?connectionId=${name}`, [
    'loopws.v1',
    `bearer.${name}`,
  ]);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  await frameOf(socket, ({ op }) => op === 'welcome');
  const subscribed = frameOf(socket, ({ id }) => id === 1);
  socket.send(JSON.stringify({ op: 'subscribe', id: 1, patterns: ['chat:mine'] }));
  await subscribed;
  await registry.get(name, name).join(`room of ${name}`);
  const question = frameOf(socket, ({ ask }) => ask !== undefined);
  const asked = asker.get(EventBus).ask(name, name, 'chat:q', 0, { timeoutMs: 5_000 });
  const answered = asked.catch((error) => error.reason);
  const { ask } = await question;
  if (isCut) socket.terminate();
  else socket.send(JSON.stringify({ op: 'answer', ask, data: 'here' }));
  const answer = await answered;
  if (answer !== (isCut ? 'send_failed' : 'here')) rejections.push(`${name} answered ${answer}`);
  socket.close();
  await closed;
}

function frameOf(socket, fits) {
  return new Promise((resolve) => {
    socket.on('message', function listener(data) {
      const frame = JSON.parse(data);
      if (!fits(frame)) return;
      socket.off('message', listener);
      resolve(frame);
    });
  });
}

async function heapAfter(from, to) {
  for (let round = from; round < to; round++) {
    const visits = Array.from({ length: VISITS }, (_, n) => visit(`v-${round}-${n}`, n % 2 === 0));
    await Promise.all(visits);
  }
  return settledHeap();
}

async function traces() {
  const [clients, keys, channels] = await Promise.all([
    admin.client('LIST'),
    admin.keys('*'),
    admin.pubsub('CHANNELS'),
  ]);
  return {
    registered: registry.size,
    clients: clients.trim().split('\n').length,
    keys: sorted(keys.filter((key) => !OF_PARTITIONS.test(key))),
    channels: sorted(channels),
  };
}

function sorted(names) {
  return names.toSorted((one, other) => one.localeCompare(other));
}

async function tracesLike(wanted) {
  const deadline = performance.now() + PATIENCE_MS;
  let found = await traces();
  while (!isDeepStrictEqual(found, wanted) && performance.now() < deadline) {
    await delay(50);
    found = await traces();
  }
  return found;
}

const before = await traces();
const base = await heapAfter(0, WARM_UP);
const visiting = heapAfter(WARM_UP, WARM_UP + ROUNDS);
while (registry.size === 0) await delay(1);
const during = await traces();
const end = await visiting;
process.send({ base, end, rejections, before, during, after: await tracesLike(before) });
process.disconnect();
process.exit();
