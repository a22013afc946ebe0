import { randomUUID } from 'node:crypto';
import { LoopWsBootError } from './loop-ws.errors.js';
import { invalidOption } from './loop-ws.invalid-option.js';
import type { LoopAuthenticator, LoopAuthorizer, LoopEventSchemas } from './loop-ws.options.js';
import type { PresenceStore } from './presence/presence-store.js';
import { parseEventName } from './protocol/event-name.js';
import { parsePattern, type Pattern } from './protocol/pattern.js';
import type { RedisSource } from './redis/redis.options.js';
import type { LoopTransport } from './transport/loop-transport.js';
import { isPlainObject } from './util/plain-object.js';
import { shown } from './util/shown.js';

/*
 * One reader per option. Options may come from code that no compiler has checked, so a reader takes `unknown`, treats
 * `undefined` as absent, and throws a LoopWsBootError for any other value that the option's type does not allow.
 */

type Fields = Readonly<Record<string, unknown>>;

export function readPath(path: unknown = '/ws'): string {
  if (typeof path !== 'string' || !/^(?:\/|(?:\/[\w\-.~%]+)+)$/.test(path)) {
    throw invalidOption('path', path, 'a plain path such as "/ws", without a trailing slash');
  }
  return path;
}

export function readDefaultSubscriptions(
  patterns: unknown = [],
  services: ReadonlySet<string>,
): readonly Pattern[] {
  if (!Array.isArray(patterns)) {
    throw invalidOption(
      'defaultSubscriptions',
      patterns,
      "an array of patterns such as ['billing:*']",
    );
  }
  return patterns.map((text: unknown) => readPattern(text, services));
}

function readPattern(text: unknown, services: ReadonlySet<string>): Pattern {
  const pattern = typeof text === 'string' ? parsePattern(text) : undefined;
  if (pattern === undefined) {
    throw new LoopWsBootError(
      `LoopWs: option "defaultSubscriptions" has ${shown(text)}, which is not a valid pattern. The valid forms are ` +
        'billing:invoice.paid, billing:*, *:invoice.paid, billing:invoice.* and *:*.',
    );
  }
  requireService(pattern.service, services, `option "defaultSubscriptions" has "${pattern.text}"`);
  return pattern;
}

export function readAuthenticate(authenticate: unknown): LoopAuthenticator {
  if (authenticate === undefined) {
    throw new LoopWsBootError(
      'LoopWs: option "authenticate" is missing. Pass a function that identifies the client, or returns null to ' +
        'refuse it: authenticate: (request) => ({ accountId }). To admit everyone: authenticate: anonymousAccounts().',
    );
  }
  if (typeof authenticate !== 'function') {
    throw invalidOption(
      'authenticate',
      authenticate,
      'a function that identifies the client, or returns null to refuse it: (request) => ({ accountId })',
    );
  }
  return authenticate as LoopAuthenticator;
}

export function readAuthorize(authorize: unknown): LoopAuthorizer | undefined {
  if (authorize !== undefined && typeof authorize !== 'function') {
    throw invalidOption(
      'authorize',
      authorize,
      'a function: (connection, pattern) => true or false',
    );
  }
  return authorize as LoopAuthorizer | undefined;
}

export function readAllowedOrigins(origins: unknown): readonly string[] | '*' | undefined {
  if (origins === undefined || origins === '*') return origins;
  if (!Array.isArray(origins)) {
    throw invalidOption(
      'allowedOrigins',
      origins,
      'an array of origins such as ["https://app.example"], or "*"',
    );
  }
  return Object.freeze(origins.map(readOrigin));
}

function readOrigin(origin: unknown): string {
  if (typeof origin !== 'string' || !isOrigin(origin)) {
    throw new LoopWsBootError(
      `LoopWs: option "allowedOrigins" has ${shown(origin)}; pass an array of origins such as ` +
        '"https://app.example" (scheme, host and port, no path), or "*" alone, not in an array.',
    );
  }
  return origin;
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text;
}

/** Whether clients connect to this process. */
export function readGateway(gateway: unknown = true): boolean {
  if (typeof gateway === 'boolean') return gateway;
  throw invalidOption('gateway', gateway, 'false for a process that only pushes, or omitted');
}

export function readServerId(serverId: unknown = randomUUID()): string {
  if (typeof serverId !== 'string' || serverId === '') {
    throw invalidOption('serverId', serverId, 'a non-empty string, unique in the cluster');
  }
  return serverId;
}

export function readRedis(redis: unknown): RedisSource | undefined {
  if (redis === undefined) return undefined;
  const isUrl = typeof redis === 'string' && /^rediss?:\/\//.test(redis);
  if (!isUrl && (typeof redis !== 'object' || redis === null || Array.isArray(redis))) {
    throw invalidOption(
      'redis',
      redis,
      'a URL such as "redis://host:6379", ioredis options or an ioredis client',
    );
  }
  if (typeof redis === 'object') refuseNodeRedis(redis);
  return redis as RedisSource;
}

/** ioredis would ignore these options, and connect to a Redis on this host. */
function refuseNodeRedis(redis: object): void {
  const foreign = ['url', 'socket', 'rootNodes'].find((name) => name in redis);
  const isForeignClient = 'duplicate' in redis && !('status' in redis);
  if (foreign === undefined && !isForeignClient) return;
  const what = isForeignClient ? 'a client that is not of ioredis' : `options with "${foreign}"`;
  throw new LoopWsBootError(
    `LoopWs: option "redis" is ${what}, as for the package "redis". LoopWs uses ioredis: pass a URL ` +
      'such as "redis://host:6379", { host, port }, { nodes } for a Redis Cluster, or an ioredis client.',
  );
}

export function readNamespace(namespace: unknown = 'lw'): string {
  if (typeof namespace !== 'string' || !/^[\w.-]{1,64}$/.test(namespace)) {
    throw invalidOption('namespace', namespace, '1 to 64 letters, digits, "_", "." or "-"');
  }
  return namespace;
}

export function readEvents(events: unknown = {}, services: ReadonlySet<string>): LoopEventSchemas {
  if (!isPlainObject(events)) {
    throw invalidOption(
      'events',
      events,
      'an object that maps full event names such as "billing:invoice.paid" to Standard Schema schemas',
    );
  }
  for (const [name, schema] of Object.entries(events)) {
    const parsed = parseEventName(name);
    if (parsed === undefined || !isSchema(schema)) {
      throw new LoopWsBootError(
        `LoopWs: option "events" has "${name}"; it must map full event names such as ` +
          '"billing:invoice.paid" to schemas of a Standard Schema library (zod, valibot, arktype).',
      );
    }
    requireService(parsed.service, services, `option "events" has "${name}"`);
  }
  return events as LoopEventSchemas;
}

function isSchema(schema: unknown): boolean {
  const standard = (schema as LoopEventSchemas[string] | null | undefined)?.['~standard'];
  return typeof standard?.validate === 'function';
}

function requireService(
  service: string | undefined,
  services: ReadonlySet<string>,
  where: string,
): void {
  if (service === undefined || services.has(service)) return;
  throw new LoopWsBootError(
    `LoopWs: ${where}, but the service "${service}" is not declared. Add it to the option "services".`,
  );
}

/** Every member of a contract. The type makes it a compile error to omit a new member below. */
type Members<Contract> = Readonly<
  Record<Exclude<keyof Contract, 'history'>, 'function' | 'boolean'>
>;

const TRANSPORT: Members<LoopTransport> = {
  start: 'function',
  attach: 'function',
  detach: 'function',
  publish: 'function',
  close: 'function',
  isLive: 'boolean',
};

const PRESENCE: Members<PresenceStore> = {
  start: 'function',
  register: 'function',
  unregister: 'function',
  isOnline: 'function',
  connectionsOf: 'function',
  accounts: 'function',
  count: 'function',
  close: 'function',
};

export function checkTransport(transport: unknown): void {
  checkMembers('transport', transport, 'LoopTransport', TRANSPORT);
}

export function checkPresence(presence: unknown): void {
  checkMembers('presence', presence, 'PresenceStore', PRESENCE);
}

/** Checks the members, not the class, because two copies of this package may be installed. */
function checkMembers(
  option: string,
  value: unknown,
  contract: string,
  members: Members<Fields>,
): void {
  const names = Object.keys(members);
  const isMember = (name: string) => typeof (value as Fields | null)?.[name] === members[name];
  if (value === undefined || names.every(isMember)) return;
  throw invalidOption(
    option,
    value,
    `a ${contract} with ${names.join(', ')}, such as new My${contract}(); omit the option to use the built-in one`,
  );
}
