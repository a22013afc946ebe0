import {
  ConfigurableModuleBuilder,
  type DynamicModule,
  Module,
  type Provider,
} from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { ChannelObservers } from './bus/channel-observers.js';
import { EventBus } from './bus/event-bus.js';
import { EventBusService } from './bus/event-bus.service.js';
import { LocalDelivery } from './bus/local-delivery.js';
import { OpenAsks } from './bus/open-asks.js';
import { RemoteMessages } from './bus/remote-messages.js';
import { ReplacedConnections } from './bus/replaced-connections.js';
import { ConnectionRegistry } from './connections/connection-registry.js';
import { FlushScheduler } from './connections/flush-scheduler.js';
import { Heartbeat } from './connections/heartbeat.js';
import { AdapterInstaller } from './gateway/adapter.installer.js';
import { Admission } from './gateway/admission.js';
import { Authenticator } from './gateway/authenticator.js';
import { ConnectionOpener } from './gateway/connection-opener.js';
import { ControlFrames } from './gateway/control-frames.js';
import { Drain } from './gateway/drain.js';
import { FrameHandler } from './gateway/frame-handler.js';
import { Handshake } from './gateway/handshake.js';
import { LoopWsGateway } from './gateway/loop-ws.gateway.js';
import { ServerLifecycle } from './gateway/server.lifecycle.js';
import { SessionFactory } from './gateway/session.factory.js';
import { Sessions } from './gateway/sessions.js';
import { SubscriptionRequests } from './gateway/subscription-requests.js';
import { EventDispatcher } from './handlers/event.dispatcher.js';
import { HandlerExplorer } from './handlers/handler.explorer.js';
import { HandlerInvoker } from './handlers/handler-invoker.js';
import { LifecycleHooks } from './handlers/lifecycle.hooks.js';
import { LoopWsConfig } from './loop-ws.config.js';
import type { LoopWsOptions } from './loop-ws.options.js';
import {
  LOOP_WS_SETTINGS,
  type LoopWsSettings,
  requireOptions,
  resolveSettings,
} from './loop-ws.settings.js';
import { MemoryPresenceStore } from './presence/memory/memory.presence-store.js';
import { PresenceStore } from './presence/presence-store.js';
import { RedisPresenceStore } from './presence/redis/redis.presence-store.js';
import { RedisBackbone } from './redis/redis-backbone.js';
import { LoopTransport } from './transport/loop-transport.js';
import { MemoryTransport } from './transport/memory/memory.transport.js';
import { RedisTransport } from './transport/redis/redis.transport.js';
import { StartedTransport } from './transport/started-transport.js';
import { TopicInterest } from './transport/topic-interest.js';
import { BackgroundWork } from './util/background-work.js';
import { SampledLogger } from './util/sampled-logger.js';

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN, OPTIONS_TYPE, ASYNC_OPTIONS_TYPE } =
  new ConfigurableModuleBuilder<LoopWsOptions>({ moduleName: 'LoopWs' })
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createLoopWsOptions')
    .setExtras({ isGlobal: true }, (definition, { isGlobal }) => ({
      ...definition,
      global: isGlobal,
    }))
    .build();

/** What the Redis transport and presence share; `undefined` without the option `redis`. */
const REDIS_BACKBONE = Symbol('RedisBackbone');

function ownTransport(redis: RedisBackbone | undefined): LoopTransport {
  return redis ? new RedisTransport(redis) : new MemoryTransport();
}

const OPTION_PROVIDERS: Provider[] = [
  {
    provide: LOOP_WS_SETTINGS,
    inject: [MODULE_OPTIONS_TOKEN],
    useFactory: (options: LoopWsOptions) => resolveSettings(options),
  },
  {
    provide: LoopWsConfig,
    inject: [LOOP_WS_SETTINGS],
    useFactory: (settings: LoopWsSettings) => settings.config,
  },
  {
    provide: REDIS_BACKBONE,
    inject: [LOOP_WS_SETTINGS, SampledLogger],
    useFactory: ({ redis, namespace, config }: LoopWsSettings, logger: SampledLogger) =>
      redis && RedisBackbone.create(redis, namespace, config, logger),
  },
  {
    provide: LoopTransport,
    inject: [MODULE_OPTIONS_TOKEN, SampledLogger, REDIS_BACKBONE],
    useFactory: (options: LoopWsOptions, logger: SampledLogger, redis?: RedisBackbone) =>
      new StartedTransport(options.transport ?? ownTransport(redis), logger),
  },
  {
    provide: PresenceStore,
    inject: [MODULE_OPTIONS_TOKEN, REDIS_BACKBONE],
    useFactory: (options: LoopWsOptions, redis?: RedisBackbone) =>
      options.presence ?? (redis ? new RedisPresenceStore(redis) : new MemoryPresenceStore()),
  },
];

/**
 * The bus as a Nest module. Import it once, in the root module; it is global unless `isGlobal: false`.
 *
 * @example
 * LoopWsModule.forRoot({
 *   services: ['billing'],
 *   authenticate: ({ token }) => verify(token),
 * })
 */
@Module({
  imports: [DiscoveryModule],
  providers: [
    ...OPTION_PROVIDERS,
    BackgroundWork,
    SampledLogger,
    TopicInterest,
    ConnectionRegistry,
    FlushScheduler,
    Heartbeat,
    ChannelObservers,
    LocalDelivery,
    OpenAsks,
    RemoteMessages,
    ReplacedConnections,
    { provide: EventBus, useClass: EventBusService },
    HandlerExplorer,
    HandlerInvoker,
    EventDispatcher,
    LifecycleHooks,
    AdapterInstaller,
    Admission,
    Authenticator,
    Handshake,
    SubscriptionRequests,
    ControlFrames,
    FrameHandler,
    SessionFactory,
    ConnectionOpener,
    Sessions,
    Drain,
    ServerLifecycle,
    LoopWsGateway,
  ],
  exports: [EventBus, ConnectionRegistry, PresenceStore, LoopTransport, LoopWsConfig],
})
export class LoopWsModule extends ConfigurableModuleClass {
  /** Nest copies the options before anything of ours can look at them, so what is no object is refused here. */
  static override forRoot(options: typeof OPTIONS_TYPE): DynamicModule {
    requireOptions(options);
    return super.forRoot(options);
  }

  static override forRootAsync(options: typeof ASYNC_OPTIONS_TYPE): DynamicModule {
    requireOptions(options);
    return super.forRootAsync(options);
  }
}
