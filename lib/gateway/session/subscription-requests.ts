import { Inject, Injectable } from '@nestjs/common';
import { ServerSubscriptions } from '../../bus/server-subscriptions.js';
import { ConnectionRegistry } from '../../connections/connection-registry.js';
import type { LoopConnection } from '../../connections/loop-connection.js';
import { isDenial } from '../../handlers/frame-error.js';
import { LOOP_WS_SETTINGS, type LoopWsSettings } from '../../loop-ws.settings.js';
import { ErrorCode } from '../../protocol/error-code.js';
import type { DeniedPattern } from '../../protocol/frames.js';
import type { LoopPattern } from '../../protocol/event-types.js';
import { parsePattern } from '../../protocol/pattern.js';
import { SampledLogger } from '../../util/sampled-logger.js';

export interface SubscriptionAnswer {
  readonly granted: readonly string[];
  readonly denied: readonly DeniedPattern[];
}

/** Decides which of the requested patterns a connection is granted, and subscribes it to them. */
@Injectable()
export class SubscriptionRequests {
  constructor(
    @Inject(LOOP_WS_SETTINGS) private readonly settings: LoopWsSettings,
    private readonly registry: ConnectionRegistry,
    private readonly serverSubscriptions: ServerSubscriptions,
    private readonly logger: SampledLogger,
  ) {}

  /**
   * Resolves when every later push that matches a granted pattern will arrive. Grants nothing once the signal is
   * aborted: by then the client has been told that the outcome is unknown.
   */
  async grant(
    connection: LoopConnection,
    wanted: readonly string[],
    signal?: AbortSignal,
  ): Promise<SubscriptionAnswer> {
    const denials = await Promise.all(wanted.map((text) => this.denialOf(connection, text)));
    const denied = denials.filter((denial) => denial !== undefined);
    const allowed = wanted.filter((_, index) => denials[index] === undefined);
    signal?.throwIfAborted();
    const granted = this.withinLimit(connection, allowed);
    this.serverSubscriptions.forget(connection, granted);
    await this.registry.subscribe(connection, granted);
    const fitting = new Set(granted);
    const overflowing = allowed.filter((text) => !fitting.has(text));
    return { granted, denied: [...denied, ...overflowing.map((text) => this.tooMany(text))] };
  }

  /**
   * Removes the patterns granted here that `authorize` no longer allows, and resolves with them. If `authorize` could
   * not decide on one of them, removes nothing and resolves with `undefined`. Removes nothing once the signal is
   * aborted, because the client would not be told.
   */
  async review(
    connection: LoopConnection,
    signal: AbortSignal,
  ): Promise<readonly string[] | undefined> {
    const granted = [...connection.subscriptions].filter(
      (text) => !this.serverSubscriptions.has(connection, text),
    );
    const denials = await Promise.all(granted.map((text) => this.denialOf(connection, text)));
    signal.throwIfAborted();
    if (denials.some((denial) => denial?.code === ErrorCode.Unavailable)) return undefined;
    const lost = denials.flatMap((denial) => (denial === undefined ? [] : [denial.pattern]));
    connection.unsubscribe(...(lost as LoopPattern[]));
    return lost;
  }

  private async denialOf(
    connection: LoopConnection,
    text: string,
  ): Promise<DeniedPattern | undefined> {
    const pattern = parsePattern(text);
    if (pattern === undefined) {
      return deny(text, ErrorCode.BadPattern, 'The pattern is not one of the five valid forms.');
    }
    if (pattern.service !== undefined && !this.settings.services.has(pattern.service)) {
      return deny(text, ErrorCode.UnknownService, 'This server has no such service.');
    }
    switch (await this.isAuthorized(connection, text)) {
      case true:
        return undefined;
      case false:
        return deny(
          text,
          ErrorCode.Forbidden,
          'This connection may not subscribe to this pattern.',
        );
      case undefined:
        return deny(
          text,
          ErrorCode.Unavailable,
          'It cannot be decided right now; try again later.',
        );
    }
  }

  /** Resolves with `undefined` if it cannot be decided now. */
  private async isAuthorized(
    connection: LoopConnection,
    pattern: string,
  ): Promise<boolean | undefined> {
    if (this.settings.authorize === undefined) return true;
    try {
      return (await this.settings.authorize(connection, pattern)) === true;
    } catch (error) {
      if (isDenial(error)) return false;
      this.logger.error('authorize', '"authorize" failed; the pattern is denied for now', error);
      return undefined;
    }
  }

  /** Patterns that the connection already holds need no further place. */
  private withinLimit(connection: LoopConnection, allowed: readonly string[]): readonly string[] {
    let places = this.settings.config.maxSubscriptions - connection.subscriptions.size;
    return allowed.filter((text) => connection.subscriptions.has(text) || places-- > 0);
  }

  private tooMany(pattern: string): DeniedPattern {
    const { maxSubscriptions } = this.settings.config;
    return deny(
      pattern,
      ErrorCode.TooManySubscriptions,
      `A connection holds at most ${maxSubscriptions} patterns.`,
    );
  }
}

const MAX_ECHO_LENGTH = 128;

/** An invalid pattern may be as long as the frame, so it is not echoed in full. */
function deny(pattern: string, code: string, message: string): DeniedPattern {
  return { pattern: pattern.slice(0, MAX_ECHO_LENGTH), code, message };
}
