/* One server of the run: takes clients, and pushes to random ones of them until it is told to stop. */
import { NestFactory } from '@nestjs/core';

const { LoopWsModule, EventBus, OnLoopConnect } = await import(process.env.LOOPWS_LIB);
const { RecordingPublisher } = await import(process.env.LOOPWS_TESTING);
const { name, redis, config, services, accounts, rooms } = JSON.parse(process.env.LOOPWS_RUN);

const EVERY_MS = 10;
const MOST_ON_THEIR_WAY = 100;

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
  onRecord: (published) => process.send({ published }),
});
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

process.on('message', ({ stop, flood, count }) => {
  if (stop) {
    clearInterval(publishing);
    stopped = true;
    if (onTheirWay === 0) process.send({ stopped: true });
  }
  if (flood) {
    const pushes = Array.from({ length: count }, () =>
      track(publisher.toAccount(flood, 'orders:changed')),
    );
    void Promise.all(pushes).then(() => process.send({ flooded: true }));
  }
});
process.once('SIGTERM', () => {
  clearInterval(publishing);
  void app.close().then(() => process.exit());
});
process.once('disconnect', () => process.exit());
process.send({ port: app.getHttpServer().address().port });
