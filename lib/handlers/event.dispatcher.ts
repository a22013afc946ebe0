import { Inject, Injectable } from '@nestjs/common';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { LoopConnection } from '../connections/loop-connection.js';
import { LoopWsException } from '../loop-ws.errors.js';
import { LOOP_WS_SETTINGS, type LoopWsSettings } from '../loop-ws.settings.js';
import { ErrorCode } from '../protocol/error-code.js';
import { andThen, type NowOrLater } from '../util/now-or-later.js';
import type { FoundHandlers } from './handler.explorer.js';
import { HandlerInvoker, type Invocation } from './handler-invoker.js';
import type { GivenUp } from './last-value.js';

/** Dispatches an inbound event to its handler: one lookup in a map that is built at boot. */
@Injectable()
export class EventDispatcher {
  private invocations: ReadonlyMap<string, Invocation> = new Map();

  constructor(
    private readonly invoker: HandlerInvoker,
    @Inject(LOOP_WS_SETTINGS) private readonly settings: LoopWsSettings,
  ) {}

  bind(events: FoundHandlers['events']): void {
    this.invocations = new Map(
      [...events].map(([name, found]) => [name, this.invoker.eventInvocation(found)]),
    );
  }

  handles(name: string): boolean {
    return this.invocations.has(name);
  }

  /**
   * Returns the reply. Throws, or rejects with, what validation, the enhancers or the handler threw. `givenUp` signals
   * that nobody waits any more; it ends the subscription to an observable that the handler returned.
   */
  dispatch(
    connection: LoopConnection,
    name: string,
    data: unknown,
    givenUp?: GivenUp,
  ): NowOrLater<unknown> {
    return andThen(this.validate(name, data), (payload) =>
      this.invocations.get(name)!([connection, payload, name], givenUp),
    );
  }

  private validate(name: string, data: unknown): NowOrLater<unknown> {
    const schema = Object.hasOwn(this.settings.events, name)
      ? this.settings.events[name]
      : undefined;
    if (schema === undefined) return data;
    return andThen(schema['~standard'].validate(data), (result) => this.valid(name, result));
  }

  private valid(name: string, result: StandardSchemaV1.Result<unknown>): unknown {
    if (result.issues === undefined) return result.value;
    const issues = result.issues
      .slice(0, this.settings.config.maxIssues)
      .map(({ message, path = [] }) => ({
        path: path.map((part) => String(typeof part === 'object' ? part.key : part)),
        message,
      }));
    throw new LoopWsException(
      ErrorCode.InvalidPayload,
      `The payload of "${name}" does not have the declared shape.`,
      issues,
    );
  }
}
