import {
  type ConfigurableModuleAsyncOptions,
  ConfigurableModuleBuilder,
  type DynamicModule,
  Module,
  type Provider,
} from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { BusLifecycle } from './bus/bus.lifecycle.js';
import { ChannelObservers } from './bus/channel-observers.js';
import { DurableDelivery } from './bus/durable-delivery.js';
import { EventBus } from './bus/event-bus.js';
import { EventBusService } from './bus/event-bus.service.js';
import { ImportedOnce } from './bus/imported-once.js';
import { LocalDelivery } from './bus/local-delivery.js';
import { OpenAsks } from './bus/open-asks.js';
import { PositionAnnouncer } from './bus/position-announcer.js';
import { AnnouncedMemberships } from './bus/announced-memberships.js';
import { RemoteDelivery } from './bus/remote-delivery.js';
import { RemoteMessages } from './bus/remote-messages.js';
import { Replay } from './bus/replay.js';
import { ReplacedConnections } from './bus/replaced-connections.js';
import { ServerSubscriptions } from './bus/server-subscriptions.js';
import { WorkerLifecycle } from './bus/worker.lifecycle.js';
import { ConnectionRegistry } from './connections/connection-registry.js';
import { FlushScheduler } from './connections/flush-scheduler.js';
import { Heartbeat } from './connections/heartbeat.js';
import { AdapterInstaller } from './gateway/adapter.installer.js';
import { Admission } from './gateway/admission.js';
import { Authenticator } from './gateway/request/authenticator.js';
import { ConnectionOpener } from './gateway/session/connection-opener.js';
import { ControlFrames } from './gateway/session/control-frames.js';
import { Drain } from './gateway/drain.js';
import { FrameHandler } from './gateway/session/frame-handler.js';
import { Handshake } from './gateway/handshake.js';
import { LoopWsGateway } from './gateway/loop-ws.gateway.js';
import { ServerLifecycle } from './gateway/server.lifecycle.js';
import { SessionFactory } from './gateway/session.factory.js';
import { Sessions } from './gateway/session/sessions.js';
import { SessionTeardown } from './gateway/session/session-teardown.js';
import { SubscriptionRequests } from './gateway/session/subscription-requests.js';
import { EventDispatcher } from './handlers/event.dispatcher.js';
import { HandlerExplorer } from './handlers/handler.explorer.js';
import { HandlerInvoker } from './handlers/handler-invoker.js';
import { LifecycleHooks } from './handlers/lifecycle.hooks.js';
import { DurableTopics } from './history/durable-topics.js';
import { LoopWsConfig } from './loop-ws.config.js';
import { readGateway } from './loop-ws.option-readers.js';
import type { LoopWsOptions, LoopWsWorkerOptions } from './loop-ws.options.js';
import {
  BUS_SETTINGS,
  type BusSettings,
  LOOP_WS_SETTINGS,
  requireOptions,
  resolveSettings,
  resolveWorkerSettings,
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

/** Passed next to the options or their factory, because Nest needs it before the options are known. */
interface ModuleExtras {
  readonly isGlobal?: boolean;
  /** May also be `false` at run time: the builder's types know one kind of options, the overloads below know both. */
  readonly gateway?: true;
}

/** `isGlobal` (default true): every module can inject the bus without importing this one. */
type WithGateway<Options> = Options & { readonly isGlobal?: boolean; readonly gateway?: true };

/** `gateway: false`: this process only pushes; no client connects to it. */
type WithoutGateway<Options> = Options & { readonly isGlobal?: boolean; readonly gateway: false };

type AsyncOptions<Options> = ConfigurableModuleAsyncOptions<Options, 'createLoopWsOptions'>;

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN, OPTIONS_TYPE, ASYNC_OPTIONS_TYPE } =
  new ConfigurableModuleBuilder<LoopWsOptions>({ moduleName: 'LoopWs' })
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createLoopWsOptions')
    .setExtras<ModuleExtras>(
      { isGlobal: true, gateway: true },
      (definition, { isGlobal, gateway }) => ({
        ...definition,
        global: isGlobal !== false,
        providers: [
          ...(definition.providers ?? []),
          ...(readGateway(gateway) ? GATEWAY_PROVIDERS : WORKER_PROVIDERS),
        ],
      }),
    )
    .build();

/** Shared by the Redis transport and the Redis presence store; `undefined` without the option `redis`. */
const REDIS_BACKBONE = Symbol('RedisBackbone');

function ownTransport(
  redis: RedisBackbone | undefined,
  { idempotencyWindowMs }: LoopWsConfig,
): LoopTransport {
  return redis ? new RedisTransport(redis) : new MemoryTransport(idempotencyWindowMs);
}

const OPTION_PROVIDERS: Provider[] = [
  {
    provide: LoopWsConfig,
    inject: [BUS_SETTINGS],
    useFactory: (settings: BusSettings) => settings.config,
  },
  {
    provide: SampledLogger,
    inject: [LoopWsConfig],
    useFactory: (config: LoopWsConfig) => new SampledLogger(config),
  },
  {
    provide: REDIS_BACKBONE,
    inject: [BUS_SETTINGS, SampledLogger],
    useFactory: ({ redis, namespace, config }: BusSettings, logger: SampledLogger) =>
      redis && RedisBackbone.create(redis, namespace, config, logger),
  },
  {
    provide: LoopTransport,
    inject: [MODULE_OPTIONS_TOKEN, SampledLogger, LoopWsConfig, REDIS_BACKBONE],
    useFactory: (
      options: LoopWsWorkerOptions,
      logger: SampledLogger,
      config: LoopWsConfig,
      redis?: RedisBackbone,
    ) => new StartedTransport(options.transport ?? ownTransport(redis, config), logger),
  },
  {
    provide: PresenceStore,
    inject: [MODULE_OPTIONS_TOKEN, REDIS_BACKBONE],
    useFactory: (options: LoopWsWorkerOptions, redis?: RedisBackbone) =>
      options.presence ?? (redis ? new RedisPresenceStore(redis) : new MemoryPresenceStore()),
  },
];

/** Providers of a process that clients connect to. */
const GATEWAY_PROVIDERS: Provider[] = [
  {
    provide: LOOP_WS_SETTINGS,
    inject: [MODULE_OPTIONS_TOKEN],
    useFactory: (options: LoopWsOptions) => resolveSettings(options),
  },
  { provide: BUS_SETTINGS, useExisting: LOOP_WS_SETTINGS },
  BackgroundWork,
  FlushScheduler,
  Heartbeat,
  ReplacedConnections,
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
  Replay,
  PositionAnnouncer,
  ServerSubscriptions,
  AnnouncedMemberships,
  FrameHandler,
  SessionFactory,
  ConnectionOpener,
  Sessions,
  SessionTeardown,
  Drain,
  ServerLifecycle,
  LoopWsGateway,
];

/** Providers of a process that only pushes. */
const WORKER_PROVIDERS: Provider[] = [
  {
    provide: BUS_SETTINGS,
    inject: [MODULE_OPTIONS_TOKEN],
    useFactory: (options: LoopWsWorkerOptions) => resolveWorkerSettings(options),
  },
  WorkerLifecycle,
];

/**
 * The bus as a Nest module. Import it once, in the root module; it is global unless `isGlobal: false`. With
 * `gateway: false` the process only pushes, as in a cron job, a queue consumer or an application context without HTTP.
 *
 * @example
 * LoopWsModule.forRoot({
 *   services: ['billing'],
 *   authenticate: ({ token }) => verify(token),
 * })
 * LoopWsModule.forRoot({ gateway: false, services: ['billing'], redis: 'redis://localhost' })
 */
@Module({
  imports: [DiscoveryModule],
  providers: [
    ...OPTION_PROVIDERS,
    ImportedOnce,
    DurableTopics,
    TopicInterest,
    ConnectionRegistry,
    ChannelObservers,
    LocalDelivery,
    DurableDelivery,
    RemoteDelivery,
    OpenAsks,
    RemoteMessages,
    BusLifecycle,
    { provide: EventBus, useClass: EventBusService },
  ],
  exports: [EventBus, ConnectionRegistry, PresenceStore, LoopTransport, LoopWsConfig],
})
export class LoopWsModule extends ConfigurableModuleClass {
  // Overloads, not a union: if `authenticate` is missing, the compiler must not only report that "gateway" is missing.
  static override forRoot(options: WithoutGateway<LoopWsWorkerOptions>): DynamicModule;
  static override forRoot(options: WithGateway<LoopWsOptions>): DynamicModule;
  /** Nest copies the options before this module can check them, so a value that is not an object is refused here. */
  static override forRoot(options: object): DynamicModule {
    requireOptions(options);
    return super.forRoot(options as typeof OPTIONS_TYPE);
  }

  static override forRootAsync(
    options: WithoutGateway<AsyncOptions<LoopWsWorkerOptions>>,
  ): DynamicModule;
  static override forRootAsync(options: WithGateway<AsyncOptions<LoopWsOptions>>): DynamicModule;
  static override forRootAsync(
    options:
      WithoutGateway<AsyncOptions<LoopWsWorkerOptions>> | WithGateway<AsyncOptions<LoopWsOptions>>,
  ): DynamicModule {
    requireOptions(options);
    return super.forRootAsync(options as typeof ASYNC_OPTIONS_TYPE);
  }
}
