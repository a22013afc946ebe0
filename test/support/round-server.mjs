/* A server of the tests that go in rounds, with the library that the test has built and the Redis that it has started. */
import { NestFactory } from '@nestjs/core';

const { LoopWsModule } = await import(process.env.LOOPWS_LIB);

export async function startServer(serverId, config) {
  class AppModule {}
  const options = {
    services: ['chat'],
    defaultSubscriptions: ['*:*'],
    redis: process.env.LOOPWS_REDIS,
    serverId,
    authenticate: ({ token }) => ({ accountId: token }),
    config,
  };
  const module = { module: AppModule, imports: [LoopWsModule.forRoot(options)] };
  const app = await NestFactory.create(module, { logger: false });
  await app.listen(0, '127.0.0.1');
  return app;
}
