import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { AppModule } from './app.module.js';
import { SERVERS } from './cluster/servers.js';
import { servePage } from './http/serve-page.js';

async function bootstrap(): Promise<void> {
  const app = await NestFactory.create<NestExpressApplication>(AppModule, {
    logger: ['error', 'warn'],
  });
  servePage(app);
  if (SERVERS.length > 0) app.enableCors({ origin: [...SERVERS] });
  // Without it a SIGTERM cuts every connection; with it clients are told when to come back.
  app.enableShutdownHooks();
  await app.listen(process.env.PORT ?? 3000);
  const { port } = new URL(await app.getUrl());
  console.log(`Notifications sample: http://localhost:${port}`);
}

void bootstrap();
