import { Inject, Injectable } from '@nestjs/common';
import { LOOP_WS_SETTINGS, type LoopWsSettings } from '../loop-ws.settings.js';
import { CloseCode } from '../protocol/close-code.js';
import { within } from '../util/within.js';
import type { Session } from './session/session.js';
import { Sessions } from './session/sessions.js';

/** Closes this server's connections gradually, so that its clients do not all arrive elsewhere at once. */
@Injectable()
export class Drain {
  private hasBegun = false;

  constructor(
    @Inject(LOOP_WS_SETTINGS) private readonly settings: LoopWsSettings,
    private readonly sessions: Sessions,
  ) {}

  /**
   * Tells every client when to come back, then closes the connections evenly over `drainMs`, each once its frames have
   * been answered or the time is up. Resolves when all sockets are gone, after `drainMs` + `closeTimeoutMs` at the
   * latest.
   */
  async run(): Promise<void> {
    const { drainMs, closeTimeoutMs } = this.settings.config;
    this.hasBegun = true;
    const leaving = this.sessions.all();
    leaving.forEach((session, index) => {
      this.advise(session);
      const waitMs = (drainMs * index) / leaving.length;
      setTimeout(() => void this.dismiss(session, drainMs - waitMs), waitMs);
    });
    await within(this.sessions.allClosed(), drainMs + closeTimeoutMs, () => {});
  }

  /** A connection that was still opening when the drain began gets its `reconnect` frame after its welcome. */
  welcomed(session: Session): void {
    if (this.hasBegun) this.advise(session);
  }

  private advise({ connection }: Session): void {
    if (connection.state !== 'open') return;
    const afterMs = Math.round(Math.random() * this.settings.config.reconnectSpreadMs);
    connection.sendFrame({ op: 'reconnect', afterMs });
  }

  private async dismiss(session: Session, patienceMs: number): Promise<void> {
    if (session.connection.state === 'open') {
      await within(session.whenIdle(), patienceMs, () => {});
    }
    session.connection.close(CloseCode.ServerLeaving, 'The server is leaving.');
  }
}
