/* A worker as a script of its own, that nothing but its end keeps from ending: pushes, closes, prints the report. */
import { NestFactory } from '@nestjs/core';

const { EventBus, LoopWsModule } = await import(process.env.LOOPWS_LIB);

class AppModule {}
const module = {
  module: AppModule,
  imports: [
    LoopWsModule.forRoot({
      gateway: false,
      services: ['chat'],
      redis: process.env.LOOPWS_REDIS,
    }),
  ],
};
const worker = await NestFactory.createApplicationContext(module, { logger: ['error', 'warn'] });
const report = await worker.get(EventBus).pushToAccount('acme', 'chat:n', 'nightly');
await worker.close();
console.log(JSON.stringify(report));
