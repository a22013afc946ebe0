import { LoopWsBootError } from './loop-ws.errors.js';
import { invalidOption } from './loop-ws.invalid-option.js';
import { isServiceName } from './protocol/event-name.js';
import type { HistoryPolicy } from './transport/topic-history.js';
import { isPlainObject } from './util/plain-object.js';
import { shown } from './util/shown.js';

/** Pushes per topic. A resume may read this many at once. */
const MAX_KEPT = 10_000;

/** 30 days. */
const MAX_KEPT_MS = 2_592_000_000;

export function readServices(services: unknown): ReadonlySet<string> {
  const names = serviceNames(services);
  if (names.length === 0) {
    throw new LoopWsBootError(
      'LoopWs: option "services" is missing. List the services whose events this bus carries: services: [\'billing\'].',
    );
  }
  return new Set(names.map(readServiceName));
}

function serviceNames(services: unknown = []): readonly unknown[] {
  if (Array.isArray(services)) return services;
  if (!isPlainObject(services)) {
    throw invalidOption(
      'services',
      services,
      "an array of names such as ['billing'], or an object such as { billing: {} }",
    );
  }
  return Object.keys(services);
}

function readServiceName(name: unknown): string {
  if (typeof name !== 'string' || !isServiceName(name)) {
    throw new LoopWsBootError(
      `LoopWs: option "services" has ${shown(name)}; a service name consists of letters, digits, "_" and "-".`,
    );
  }
  return name;
}

/** The history policies of the services that have one. Call it after {@link readServices}. */
export function readHistories(services: unknown): ReadonlyMap<string, HistoryPolicy> {
  const declared = isPlainObject(services) ? Object.entries(services) : [];
  return new Map(
    declared.flatMap(([service, options]): [string, HistoryPolicy][] => {
      const history = readServiceOptions(`services.${service}`, options);
      return history === undefined ? [] : [[service, history]];
    }),
  );
}

function readServiceOptions(where: string, options: unknown = {}): HistoryPolicy | undefined {
  if (!isPlainObject(options)) {
    throw invalidOption(where, options, '{}, or { history: { size: 100, ttlMs: 600_000 } }');
  }
  const unknown = Object.keys(options).find((option) => option !== 'history');
  if (unknown !== undefined) {
    throw new LoopWsBootError(
      `LoopWs: unknown option "${where}.${unknown}". The only option of a service is history.`,
    );
  }
  return options.history === undefined
    ? undefined
    : readHistory(`${where}.history`, options.history);
}

function readHistory(where: string, history: unknown): HistoryPolicy {
  if (!isPlainObject(history)) throw invalidOption(where, history, '{ size: 100, ttlMs: 600_000 }');
  const { size, ttlMs, ...others } = history;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) {
    throw new LoopWsBootError(
      `LoopWs: unknown option "${where}.${unknown}". A history has size and ttlMs.`,
    );
  }
  return {
    size: readWhole(`${where}.size`, size, MAX_KEPT),
    ttlMs: readWhole(`${where}.ttlMs`, ttlMs, MAX_KEPT_MS),
  };
}

function readWhole(where: string, value: unknown, most: number): number {
  if (Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= most) {
    return value as number;
  }
  throw invalidOption(where, value, `a whole number from 1 to ${most}`);
}
