import { randomUUID } from 'node:crypto';
import { LoopWsConfig, resolveConfig } from './loop-ws.config.js';
import { LoopWsBootError } from './loop-ws.errors.js';
import type {
  LoopAuthenticator,
  LoopAuthorizer,
  LoopEventSchemas,
  LoopWsOptions,
} from './loop-ws.options.js';
import { isServiceName, parseEventName } from './protocol/event-name.js';
import { parsePattern, type Pattern } from './protocol/pattern.js';

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
  transport: true,
  presence: true,
};

/** Checks every option. Throws a {@link LoopWsBootError} whose sentence names the option and the remedy. */
export function resolveSettings(options: LoopWsOptions): LoopWsSettings {
  if (typeof options !== 'object' || options === null) {
    throw new LoopWsBootError(
      'LoopWs: pass an options object to forRoot, or return one from the factory.',
    );
  }
  refuseUnknownOptions(options);
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
  });
}

function refuseUnknownOptions(options: object): void {
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(OPTIONS, name));
  if (unknown !== undefined) {
    throw new LoopWsBootError(
      `LoopWs: unknown option "${unknown}". The options are ${Object.keys(OPTIONS).join(', ')}.`,
    );
  }
}

function readPath(path: unknown = '/ws'): string {
  if (typeof path !== 'string' || !/^(?:\/|(?:\/[\w\-.~%]+)+)$/.test(path)) {
    throw new LoopWsBootError(
      `LoopWs: option "path" is ${JSON.stringify(path)}; it must be a plain path such as "/ws", without a slash at its end.`,
    );
  }
  return path;
}

function readServices(services: unknown): ReadonlySet<string> {
  const names = Array.isArray(services) ? services : Object.keys((services as object) ?? {});
  if (names.length === 0) {
    throw new LoopWsBootError(
      'LoopWs: option "services" is missing. Name the services whose events travel on this bus: services: [\'billing\'].',
    );
  }
  for (const name of names) {
    if (typeof name !== 'string' || !isServiceName(name)) {
      throw new LoopWsBootError(
        `LoopWs: option "services" has ${JSON.stringify(name)}; a service name is letters, digits, "_" and "-".`,
      );
    }
  }
  if (!Array.isArray(services)) refuseServiceOptions(services as Record<string, unknown>);
  return new Set(names);
}

function refuseServiceOptions(services: Readonly<Record<string, unknown>>): void {
  for (const [service, options] of Object.entries(services)) {
    const [option] = Object.keys((options as object) ?? {});
    if (option !== undefined) {
      throw new LoopWsBootError(
        `LoopWs: unknown option "services.${service}.${option}". A service has no options yet: write ${service}: {}.`,
      );
    }
  }
}

function readDefaultSubscriptions(
  patterns: unknown = [],
  services: ReadonlySet<string>,
): readonly Pattern[] {
  if (!Array.isArray(patterns)) {
    throw new LoopWsBootError(
      'LoopWs: option "defaultSubscriptions" must be a list of patterns such as ["billing:*"].',
    );
  }
  return patterns.map((text: unknown) => {
    const pattern = typeof text === 'string' ? parsePattern(text) : undefined;
    if (pattern === undefined) {
      throw new LoopWsBootError(
        `LoopWs: option "defaultSubscriptions" has ${JSON.stringify(text)}, which is no pattern. The forms are ` +
          'billing:invoice.paid, billing:*, *:invoice.paid, billing:invoice.* and *:*.',
      );
    }
    requireService(
      pattern.service,
      services,
      `option "defaultSubscriptions" has "${pattern.text}"`,
    );
    return pattern;
  });
}

function readAuthenticate(authenticate: unknown): LoopAuthenticator {
  if (typeof authenticate !== 'function') {
    throw new LoopWsBootError(
      'LoopWs: option "authenticate" is missing. Pass a function that says who is connecting: ' +
        'authenticate: (request) => ({ accountId }), or null to refuse. To let everyone in: authenticate: anonymousAccounts().',
    );
  }
  return authenticate as LoopAuthenticator;
}

function readAuthorize(authorize: unknown): LoopAuthorizer | undefined {
  if (authorize !== undefined && typeof authorize !== 'function') {
    throw new LoopWsBootError(
      'LoopWs: option "authorize" must be a function: authorize: (connection, pattern) => true or false.',
    );
  }
  return authorize as LoopAuthorizer | undefined;
}

function readAllowedOrigins(origins: unknown): readonly string[] | '*' | undefined {
  if (origins === undefined || origins === '*') return origins;
  const list: unknown[] = Array.isArray(origins) ? origins : [origins];
  const wrong = list.find((origin) => typeof origin !== 'string' || !isOrigin(origin));
  if (wrong !== undefined || !Array.isArray(origins)) {
    throw new LoopWsBootError(
      `LoopWs: option "allowedOrigins" has ${JSON.stringify(wrong ?? origins)}; give a list of origins such as ` +
        '"https://app.example" (scheme, host and port, no path), or "*".',
    );
  }
  return Object.freeze([...(origins as string[])]);
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text;
}

function readServerId(serverId: unknown = randomUUID()): string {
  if (typeof serverId !== 'string' || serverId === '') {
    throw new LoopWsBootError(
      'LoopWs: option "serverId" must be a non-empty text, unique in the cluster.',
    );
  }
  return serverId;
}

function readEvents(events: unknown = {}, services: ReadonlySet<string>): LoopEventSchemas {
  for (const [name, schema] of Object.entries(events as object)) {
    const parsed = parseEventName(name);
    if (parsed === undefined || typeof schema?.['~standard']?.validate !== 'function') {
      throw new LoopWsBootError(
        `LoopWs: option "events" has "${name}"; it must map full names such as "billing:invoice.paid" to schemas of a ` +
          'Standard Schema library (zod, valibot, arktype).',
      );
    }
    requireService(parsed.service, services, `option "events" has "${name}"`);
  }
  return events as LoopEventSchemas;
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
