import { Module, StandardSchemaValidationPipe } from '@nestjs/common';
import { APP_FILTER, APP_PIPE } from '@nestjs/core';
import { LoopWsModule } from 'nestjs-loopws';
import { demoLogin, maySubscribe } from './auth/demo-login.js';
import { BillingModule } from './billing/billing.module.js';
import { ChatModule } from './chat/chat.module.js';
import { SERVER_ID, SERVERS } from './cluster/servers.js';
import { ServersController } from './cluster/servers.controller.js';
import { DevicesModule } from './devices/devices.module.js';
import { events } from './events.js';
import { LoopErrorsFilter } from './http/loop-errors.filter.js';
import { PresenceModule } from './presence/presence.module.js';
import { PushModule } from './push/push.module.js';

@Module({
  imports: [
    LoopWsModule.forRoot({
      services: ['billing', 'chat', 'device', 'presence'],
      defaultSubscriptions: ['billing:*'],
      authenticate: demoLogin,
      authorize: maySubscribe,
      events,
      serverId: SERVER_ID,
      // With a Redis all servers that name it are one bus; without, this one is.
      ...(process.env.REDIS_URL ? { redis: process.env.REDIS_URL } : {}),
      // The page of one server connects to the others as well.
      ...(SERVERS.length > 0 ? { allowedOrigins: SERVERS } : {}),
      // A handful of tabs: a restart need not be spread over several seconds.
      config: { drainMs: 300, reconnectSpreadMs: 2_000, presenceGraceMs: 1_500 },
    }),
    BillingModule,
    ChatModule,
    DevicesModule,
    PresenceModule,
    PushModule,
  ],
  controllers: [ServersController],
  providers: [
    // Answers 400 with one sentence per field that does not fit the parameter's schema.
    { provide: APP_PIPE, useClass: StandardSchemaValidationPipe },
    { provide: APP_FILTER, useClass: LoopErrorsFilter },
  ],
})
export class AppModule {}
