/* One server of a cluster as a process of its own: tells its port and its presence edges to the test that started it. */
import { Inject } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

const trueNow = Date.now;
Date.now = () => trueNow() + Number(process.env.LOOPWS_CLOCK_OFF_MS);

const { EventBus, LoopWsModule, OnAccountOffline, OnAccountOnline, OnLoopEvent } = await import(
  process.env.LOOPWS_LIB
);

class Edges {
  online(accountId) {
    process.send({ edge: `+${accountId}` });
  }

  offline(accountId) {
    process.send({ edge: `-${accountId}` });
  }
}

/** Pushes what a client asks for, and replies with the result. */
class Relay {
  push({ connectionId, data, ttlMs }) {
    return this.bus.pushToConnection('acme', connectionId, 'chat:n', data, { ttlMs });
  }
}
Inject(EventBus)(Relay.prototype, 'bus');

const decorate = ({ prototype }, method, decorator) =>
  decorator(prototype, method, Object.getOwnPropertyDescriptor(prototype, method));
decorate(Edges, 'online', OnAccountOnline());
decorate(Edges, 'offline', OnAccountOffline());
decorate(Relay, 'push', OnLoopEvent('chat:push'));

class AppModule {}
const module = {
  module: AppModule,
  providers: [Edges, Relay],
  imports: [
    LoopWsModule.forRoot({
      services: ['chat'],
      defaultSubscriptions: ['*:*'],
      redis: process.env.LOOPWS_REDIS,
      serverId: process.env.LOOPWS_SERVER_ID,
      config: JSON.parse(process.env.LOOPWS_CONFIG),
      authenticate: ({ token }) => (token ? { accountId: token } : null),
    }),
  ],
};
const app = await NestFactory.create(module, { logger: ['error', 'warn'] });
app.enableShutdownHooks();
await app.listen(0, '127.0.0.1');
process.send({ port: app.getHttpServer().address().port });
process.on('message', ({ blockMs }) => {
  const until = performance.now() + blockMs;
  // The test may rely on it from the moment it is told.
  process.send({ blocked: true }, () => {
    while (performance.now() < until);
  });
});
process.once('disconnect', () => process.exit());
