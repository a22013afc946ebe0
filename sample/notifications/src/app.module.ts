import { Module, StandardSchemaValidationPipe } from '@nestjs/common';
import { APP_FILTER, APP_PIPE } from '@nestjs/core';
import { LoopWsModule } from 'nestjs-loopws';
import { demoLogin, maySubscribe } from './auth/demo-login.js';
import { BillingModule } from './billing/billing.module.js';
import { ChatModule } from './chat/chat.module.js';
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
      // A handful of tabs on one server: a restart need not be spread over several seconds.
      config: { drainMs: 300, reconnectSpreadMs: 2_000, presenceGraceMs: 1_500 },
    }),
    BillingModule,
    ChatModule,
    DevicesModule,
    PresenceModule,
    PushModule,
  ],
  providers: [
    // Answers 400 with one sentence per field that does not fit the parameter's schema.
    { provide: APP_PIPE, useClass: StandardSchemaValidationPipe },
    { provide: APP_FILTER, useClass: LoopErrorsFilter },
  ],
})
export class AppModule {}
