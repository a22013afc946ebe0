/* One server of the run: takes clients, and pushes to random ones of them until it is told to stop. */
import { NestFactory } from '@nestjs/core';

const { LoopWsModule, EventBus, OnLoopConnect } = await import(process.env.LOOPWS_LIB);
const { RecordingPublisher } = await import(process.env.LOOPWS_TESTING);
const { name, redis, config, services, accounts, rooms } = JSON.parse(process.env.LOOPWS_RUN);

const EVERY_MS = 10;
const MOST_ON_THEIR_WAY = 100;
const FLOODED_AT_ONCE = 100;
/** Shorter than a Redis is paused: what waits in it must not come any more. */
const LIVE_TTL_MS = 1_000;

class Rooms {
  async enter(connection) {
    await connection.join(`room-${Number(connection.accountId.slice(1)) % rooms}`);
  }
}
const method = Object.getOwnPropertyDescriptor(Rooms.prototype, 'enter');
OnLoopConnect()(Rooms.prototype, 'enter', method);

class AppModule {}
const app = await NestFactory.create(
  {
    module: AppModule,
    providers: [Rooms],
    imports: [
      LoopWsModule.forRoot({
        services,
        redis,
        serverId: name,
        config,
        authenticate: ({ token }) => ({ accountId: token }),
      }),
    ],
  },
  { logger: ['error'] },
);
await app.listen(0, '127.0.0.1');

const publisher = new RecordingPublisher(app.get(EventBus), name, {
  isDurable: (event) => event.startsWith('orders:'),
  repeats: 3,
  ttlMs: LIVE_TTL_MS,
  onRecord(published) {
    process.send({ published });
    if (published.topic === flooded.topic && published.position !== undefined) flooded.confirmed++;
  },
});
const flooded = { topic: '', confirmed: 0 };
const random = (most) => Math.floor(Math.random() * most);
let onTheirWay = 0;
let stopped = false;
let round = 0;

async function track(push) {
  onTheirWay++;
  try {
    await push;
  } finally {
    onTheirWay--;
    if (stopped && onTheirWay === 0) process.send({ stopped: true });
  }
}

const publishing = setInterval(() => {
  if (onTheirWay >= MOST_ON_THEIR_WAY) return;
  round++;
  void track(publisher.toAccount(`a${random(accounts)}`, 'orders:changed'));
  if (round % 3 === 0) void track(publisher.toAccount(`a${random(accounts)}`, 'live:tick'));
  if (round % 10 === 0) void track(publisher.toRoom(`room-${random(rooms)}`, 'orders:room'));
  if (round % 50 === 0) void track(publisher.toChannel('orders:all'));
}, EVERY_MS);

/** Resolves when so many pushes to the account are in its history. Not all at once: they would wait for each other. */
async function flood(account, count) {
  Object.assign(flooded, { topic: `account:${account}`, confirmed: 0 });
  while (flooded.confirmed < count) {
    const pushes = Array.from({ length: FLOODED_AT_ONCE }, () =>
      track(publisher.toAccount(account, 'orders:changed')),
    );
    await Promise.all(pushes);
  }
}

process.on('message', ({ stop, floodOf, count }) => {
  if (stop) {
    clearInterval(publishing);
    stopped = true;
    if (onTheirWay === 0) process.send({ stopped: true });
  }
  if (floodOf) void flood(floodOf, count).then(() => process.send({ flooded: true }));
});
process.once('SIGTERM', () => {
  clearInterval(publishing);
  void app.close().then(() => process.exit());
});
process.once('disconnect', () => process.exit());
process.send({ port: app.getHttpServer().address().port });
