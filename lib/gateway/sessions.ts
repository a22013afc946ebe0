import { Injectable } from '@nestjs/common';
import type { Session } from './session.js';

/** Every session whose socket is still there, whether or not it is open. */
@Injectable()
export class Sessions {
  private readonly live = new Set<Session>();

  add(session: Session): void {
    this.live.add(session);
    void session.socketClosed.then(() => this.live.delete(session));
  }

  all(): readonly Session[] {
    return [...this.live];
  }

  async allClosed(): Promise<void> {
    await Promise.all(this.all().map((session) => session.socketClosed));
  }
}
