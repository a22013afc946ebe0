import { LoopPushError } from '../loop-ws.errors.js';
import type { BusSettings } from '../loop-ws.settings.js';
import { parseEventName } from '../protocol/event-name.js';
import { MAX_TIMER_MS } from '../protocol/max-timer.js';
import { encodeEventFrame } from '../protocol/server-frame.encoder.js';
import { shown } from '../util/shown.js';

/** An event that is ready to send: its name is checked, and its frame is encoded once for all receivers. */
export interface OutgoingEvent {
  readonly service: string;
  /** The payload as JSON; absent if there is none. */
  readonly data: string | undefined;
  readonly frame: string;
}

/** Checks and encodes an event. Throws a {@link LoopPushError} that tells the publisher what to change. */
export function composeEvent(name: string, payload: unknown, settings: BusSettings): OutgoingEvent {
  const service = requireDeclared(name, settings.services);
  const data = toJson(name, payload);
  const frame = encodeEventFrame(name, data);
  const bytes = Buffer.byteLength(frame);
  if (bytes > settings.config.maxEventBytes) {
    throw new LoopPushError(
      `The frame of "${name}" has ${bytes} bytes, more than config.maxEventBytes (${settings.config.maxEventBytes}). ` +
        'Push a reference that the client can fetch, or raise the limit.',
    );
  }
  return { service, data, frame };
}

function requireDeclared(name: string, services: ReadonlySet<string>): string {
  const parsed = typeof name === 'string' ? parseEventName(name) : undefined;
  if (parsed === undefined) {
    throw new LoopPushError(
      `${shown(name)} is not a full event name; use one such as "billing:invoice.paid".`,
    );
  }
  if (!services.has(parsed.service)) {
    throw new LoopPushError(
      `"${name}" belongs to the service "${parsed.service}", which is not declared. Add it to the option "services".`,
    );
  }
  return parsed.service;
}

function toJson(name: string, payload: unknown): string | undefined {
  try {
    return JSON.stringify(payload);
  } catch (cause) {
    throw new LoopPushError(
      `The payload of "${name}" cannot be serialized as JSON (${(cause as Error).message}). Nothing was pushed.`,
      { cause },
    );
  }
}

export function requireDuration(field: string, ms: number): void {
  if (ms > 0 && ms <= MAX_TIMER_MS) return;
  throw new LoopPushError(
    `${field} is ${ms}; it must be a number of milliseconds above 0 and at most ${MAX_TIMER_MS}.`,
  );
}
