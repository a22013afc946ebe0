/* One server of a cluster as a process of its own: tells its port and its presence edges to the test that started it. */
import { NestFactory } from '@nestjs/core';

const trueNow = Date.now;
Date.now = () => trueNow() + Number(process.env.LOOPWS_CLOCK_OFF_MS);

const { LoopWsModule, OnAccountOffline, OnAccountOnline } = await import(process.env.LOOPWS_LIB);

class Edges {
  online(accountId) {
    process.send({ edge: `+${accountId}` });
  }

  offline(accountId) {
    process.send({ edge: `-${accountId}` });
  }
}
const decorate = (decorator, method) =>
  decorator(Edges.prototype, method, Object.getOwnPropertyDescriptor(Edges.prototype, method));
decorate(OnAccountOnline(), 'online');
decorate(OnAccountOffline(), 'offline');

class AppModule {}
const module = {
  module: AppModule,
  providers: [Edges],
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
