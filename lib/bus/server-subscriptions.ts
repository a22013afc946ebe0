import { Injectable } from '@nestjs/common';
import type { LoopConnection } from '../connections/loop-connection.js';

/**
 * Patterns that server code subscribed on its own authority, so that `authorize` does not apply to them. All other
 * patterns were granted; they are not recorded, because few connections have any of the first kind.
 */
@Injectable()
export class ServerSubscriptions {
  private readonly byConnection = new WeakMap<LoopConnection, Set<string>>();

  /** Call it right before the patterns are subscribed: those that the connection already holds stay granted. */
  note(connection: LoopConnection, patterns: readonly string[]): void {
    const fresh = patterns.filter((text) => !connection.patterns.has(text));
    if (fresh.length === 0) return;
    const known = this.byConnection.get(connection) ?? [];
    this.byConnection.set(connection, new Set([...known, ...fresh]));
  }

  /** Call it right before granted patterns are subscribed: those that the connection already holds stay as they are. */
  forget(connection: LoopConnection, granted: readonly string[]): void {
    const known = this.byConnection.get(connection);
    if (known === undefined) return;
    for (const text of granted) if (!connection.patterns.has(text)) known.delete(text);
  }

  has(connection: LoopConnection, pattern: string): boolean {
    return this.byConnection.get(connection)?.has(pattern) ?? false;
  }
}
