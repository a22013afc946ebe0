import { Injectable } from '@nestjs/common';
import { GroupedMap } from '../../util/grouped-map.js';
import type { Session } from './session.js';

/** Every session whose socket still exists, whether or not its connection is open. */
@Injectable()
export class Sessions {
  private readonly live = new GroupedMap<Session>(
    ({ connection }) => connection.registration.registration,
  );
  private whenEmpty: (() => void)[] = [];

  get size(): number {
    return this.live.size;
  }

  sizeOf(accountId: string): number {
    return this.live.sizeOf(accountId);
  }

  add(session: Session): void {
    this.live.set(session.connection.accountId, session);
  }

  remove({ connection: { accountId, registration } }: Session): void {
    this.live.delete(accountId, registration.registration);
    if (this.live.size > 0) return;
    for (const tell of this.whenEmpty) tell();
    this.whenEmpty = [];
  }

  all(): readonly Session[] {
    return [...this.live];
  }

  /** Resolves when no socket is left. */
  async allClosed(): Promise<void> {
    if (this.live.size > 0) await new Promise<void>((resolve) => this.whenEmpty.push(resolve));
  }
}
