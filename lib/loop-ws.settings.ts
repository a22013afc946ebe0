import { type LoopWsConfig, resolveConfig } from './loop-ws.config.js';
import { LoopWsBootError } from './loop-ws.errors.js';
import {
  checkPresence,
  checkTransport,
  isFields,
  readAllowedOrigins,
  readAuthenticate,
  readAuthorize,
  readDefaultSubscriptions,
  readEvents,
  readNamespace,
  readPath,
  readRedis,
  readServerId,
  readServices,
} from './loop-ws.option-readers.js';
import type {
  LoopAuthenticator,
  LoopAuthorizer,
  LoopEventSchemas,
  LoopWsOptions,
} from './loop-ws.options.js';
import type { Pattern } from './protocol/pattern.js';
import type { RedisSource } from './redis/redis.options.js';

/** The options as the module uses them: checked, defaults filled in, frozen. */
export interface LoopWsSettings {
  readonly path: string;
  readonly services: ReadonlySet<string>;
  readonly defaultSubscriptions: readonly Pattern[];
  readonly authenticate: LoopAuthenticator;
  readonly authorize: LoopAuthorizer | undefined;
  readonly allowedOrigins: readonly string[] | '*' | undefined;
  readonly serverId: string;
  readonly config: LoopWsConfig;
  readonly events: LoopEventSchemas;
  readonly redis: RedisSource | undefined;
  readonly namespace: string;
}

/** Injection token of {@link LoopWsSettings}. */
export const LOOP_WS_SETTINGS = Symbol('LoopWsSettings');

const OPTIONS: Readonly<Record<keyof LoopWsOptions, true>> = {
  path: true,
  services: true,
  defaultSubscriptions: true,
  authenticate: true,
  authorize: true,
  allowedOrigins: true,
  serverId: true,
  config: true,
  events: true,
  redis: true,
  namespace: true,
  transport: true,
  presence: true,
};

/** Checks every option. Throws a {@link LoopWsBootError} whose sentence names the option and the remedy. */
export function resolveSettings(options: LoopWsOptions): LoopWsSettings {
  requireOptions(options);
  Object.keys(options).forEach(requireKnown);
  checkTransport(options.transport);
  checkPresence(options.presence);
  const services = readServices(options.services);
  return Object.freeze({
    path: readPath(options.path),
    services,
    defaultSubscriptions: readDefaultSubscriptions(options.defaultSubscriptions, services),
    authenticate: readAuthenticate(options.authenticate),
    authorize: readAuthorize(options.authorize),
    allowedOrigins: readAllowedOrigins(options.allowedOrigins),
    serverId: readServerId(options.serverId),
    config: resolveConfig(options.config),
    events: readEvents(options.events, services),
    redis: readRedis(options.redis),
    namespace: readNamespace(options.namespace),
  });
}

export function requireOptions(options: unknown): void {
  if (isFields(options)) return;
  throw new LoopWsBootError(
    'LoopWs: pass an options object to forRoot, or return one from the factory.',
  );
}

/** A misspelt name is refused even when its value is `undefined`: it will have one elsewhere. */
function requireKnown(name: string): void {
  if (Object.hasOwn(OPTIONS, name)) return;
  if (name === 'isGlobal') {
    throw new LoopWsBootError(
      'LoopWs: option "isGlobal" belongs beside useFactory, useClass or useExisting, and not into what they return: ' +
        'forRootAsync({ isGlobal: false, useFactory }).',
    );
  }
  throw new LoopWsBootError(
    `LoopWs: unknown option "${name}". The options are ${Object.keys(OPTIONS).join(', ')}.`,
  );
}
