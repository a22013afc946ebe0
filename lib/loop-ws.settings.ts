import type { LoopWsConfig } from './loop-ws.config.js';
import { resolveConfig } from './loop-ws.config-reader.js';
import { LoopWsBootError } from './loop-ws.errors.js';
import {
  checkPresence,
  checkTransport,
  readAllowedOrigins,
  readAuthenticate,
  readAuthorize,
  readDefaultSubscriptions,
  readEvents,
  readNamespace,
  readPath,
  readRedis,
  readServerId,
} from './loop-ws.option-readers.js';
import { readHistories, readServices } from './loop-ws.service-readers.js';
import type {
  LoopAuthenticator,
  LoopAuthorizer,
  LoopEventSchemas,
  LoopWsOptions,
  LoopWsWorkerOptions,
} from './loop-ws.options.js';
import type { Pattern } from './protocol/pattern.js';
import { isPlainObject } from './util/plain-object.js';
import type { RedisSource } from './redis/redis.options.js';
import type { HistoryPolicy } from './transport/topic-history.js';

/** The options common to every process of a bus: checked, with defaults filled in, and frozen. */
export interface BusSettings {
  readonly services: ReadonlySet<string>;
  /** Policies of the services whose pushes are durable. */
  readonly histories: ReadonlyMap<string, HistoryPolicy>;
  readonly serverId: string;
  readonly config: LoopWsConfig;
  readonly events: LoopEventSchemas;
  readonly redis: RedisSource | undefined;
  readonly namespace: string;
}

/** The settings of a process that clients connect to. */
export interface LoopWsSettings extends BusSettings {
  readonly path: string;
  readonly defaultSubscriptions: readonly Pattern[];
  readonly authenticate: LoopAuthenticator;
  readonly authorize: LoopAuthorizer | undefined;
  readonly allowedOrigins: readonly string[] | '*' | undefined;
}

/** Injection token of {@link BusSettings}. */
export const BUS_SETTINGS = Symbol('BusSettings');

/** Injection token of {@link LoopWsSettings}; not provided in a worker. */
export const LOOP_WS_SETTINGS = Symbol('LoopWsSettings');

const WORKER_OPTIONS: Readonly<Record<keyof LoopWsWorkerOptions, true>> = {
  services: true,
  serverId: true,
  config: true,
  events: true,
  redis: true,
  namespace: true,
  transport: true,
  presence: true,
};

const OPTIONS: Readonly<Record<keyof LoopWsOptions, true>> = {
  ...WORKER_OPTIONS,
  path: true,
  defaultSubscriptions: true,
  authenticate: true,
  authorize: true,
  allowedOrigins: true,
};

/** Checks every option. Throws a {@link LoopWsBootError} whose message names the option and the remedy. */
export function resolveSettings(options: LoopWsOptions): LoopWsSettings {
  requireOptions(options);
  Object.keys(options).forEach(requireKnown);
  const bus = readBusSettings(options);
  return Object.freeze({
    ...bus,
    path: readPath(options.path),
    defaultSubscriptions: readDefaultSubscriptions(options.defaultSubscriptions, bus.services),
    authenticate: readAuthenticate(options.authenticate),
    authorize: readAuthorize(options.authorize),
    allowedOrigins: readAllowedOrigins(options.allowedOrigins),
  });
}

/** As {@link resolveSettings}, for a process without a gateway. */
export function resolveWorkerSettings(options: LoopWsWorkerOptions): BusSettings {
  requireOptions(options);
  Object.keys(options).forEach(requireKnown);
  Object.keys(options).forEach(requireForWorker);
  return Object.freeze(readBusSettings(options));
}

function readBusSettings(options: LoopWsWorkerOptions): BusSettings {
  checkTransport(options.transport);
  checkPresence(options.presence);
  const services = readServices(options.services);
  return {
    services,
    histories: readHistories(options.services),
    serverId: readServerId(options.serverId),
    config: resolveConfig(options.config),
    events: readEvents(options.events, services),
    redis: readRedis(options.redis),
    namespace: readNamespace(options.namespace),
  };
}

export function requireOptions(options: unknown): void {
  if (isPlainObject(options)) return;
  throw new LoopWsBootError(
    'LoopWs: pass an options object to forRoot, or return one from the factory.',
  );
}

/** A misspelt name is refused even if its value is `undefined`, because in another environment it may have a value. */
function requireKnown(name: string): void {
  if (Object.hasOwn(OPTIONS, name)) return;
  if (name === 'isGlobal' || name === 'gateway') {
    throw new LoopWsBootError(
      `LoopWs: option "${name}" belongs beside useFactory, useClass or useExisting, not in the options that they ` +
        `return: forRootAsync({ ${name}: false, useFactory }).`,
    );
  }
  throw new LoopWsBootError(
    `LoopWs: unknown option "${name}". The options are ${Object.keys(OPTIONS).join(', ')}.`,
  );
}

function requireForWorker(name: string): void {
  if (Object.hasOwn(WORKER_OPTIONS, name)) return;
  throw new LoopWsBootError(
    `LoopWs: option "${name}" is for a process that clients connect to, but this one has "gateway: false". Remove ` +
      'one of the two.',
  );
}
