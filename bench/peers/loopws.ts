/* This library, as an application uses it. */
import { UseGuards } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { MessageBody } from '@nestjs/websockets';
import { ConnectionRegistry, EventBus, LoopWsModule, OnLoopEvent } from '../../lib/index.js';
import { EVENT, subscriptionsOf, type Peer, type PeerOptions, type StartPeer } from './peer.js';
import { classWithHandlers, portOf, WorkGuard, WorkPipe } from './nest.js';

/** No client of a benchmark is one too many. */
const UNLIMITED = {
  upgradesPerSecond: 1e6,
  upgradeBurst: 1e6,
  framesPerSecond: 1e6,
  frameBurst: 1e6,
};

/** Pushes and asks for no result, which is what the others do. */
export const start: StartPeer = (options) => startWith(options, false);

/** Each push is answered by every server that it reached. */
export const startWithResults: StartPeer = (options) => startWith(options, true);

async function startWith(options: PeerOptions, receipt: boolean): Promise<Peer> {
  const Handlers = classWithHandlers(options.handlers, onLoopEvent, MessageBody(WorkPipe));
  UseGuards(WorkGuard)(Handlers);
  const app = await NestFactory.create(
    {
      module: class AppModule {},
      providers: [Handlers],
      imports: [
        LoopWsModule.forRoot({
          services: ['feed', 'work'],
          defaultSubscriptions: subscriptionsOf(options),
          authenticate: ({ token }) => (token ? { accountId: token } : null),
          config: {
            ...UNLIMITED,
            heartbeatMs: options.heartbeatMs,
            maxQueueBytes: options.maxQueueBytes,
          },
          ...(options.redis !== undefined && { redis: options.redis }),
        }),
      ],
    },
    { logger: ['error', 'warn'] },
  );
  await app.listen(0, '127.0.0.1');
  const bus = app.get(EventBus);
  const registry = app.get(ConnectionRegistry);
  return {
    port: portOf(app),
    get connections() {
      return registry.size;
    },
    publishToAll: (event) => void bus.pushToChannel(EVENT, event, { receipt }),
    publishToAccount: (account, event) =>
      void bus.pushToAccount(account, EVENT, event, { receipt }),
  };
}

function onLoopEvent(event: string): MethodDecorator {
  return OnLoopEvent(event as `${string}:${string}`) as MethodDecorator;
}
