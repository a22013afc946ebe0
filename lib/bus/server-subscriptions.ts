import { Injectable } from '@nestjs/common';
import type { LoopConnection } from '../connections/loop-connection.js';

/**
 * Patterns that server code subscribed on its own authority, so that `authorize` has no say in them. All others were
 * granted, which goes without saying, for few connections have any of these.
 */
@Injectable()
export class ServerSubscriptions {
  private readonly byConnection = new WeakMap<LoopConnection, Set<string>>();

  /** Call it right before they are subscribed: what the connection holds already stays granted. */
  note(connection: LoopConnection, patterns: readonly string[]): void {
    const fresh = patterns.filter((text) => !connection.patterns.has(text));
    if (fresh.length === 0) return;
    const known = this.byConnection.get(connection) ?? [];
    this.byConnection.set(connection, new Set([...known, ...fresh]));
  }

  /** Call it right before they are subscribed because they were granted: what the connection holds stays what it is. */
  forget(connection: LoopConnection, granted: readonly string[]): void {
    const known = this.byConnection.get(connection);
    if (known === undefined) return;
    for (const text of granted) if (!connection.patterns.has(text)) known.delete(text);
  }

  has(connection: LoopConnection, pattern: string): boolean {
    return this.byConnection.get(connection)?.has(pattern) ?? false;
  }
}
