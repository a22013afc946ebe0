import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { LoopWsConfig } from '../loop-ws.config.js';

/** A connection, as the heartbeat sees it. */
export interface HeartbeatTarget {
  /** Whether anything was heard since the last call. */
  consumeActivity(): boolean;
  ping(): void;
  /** Nothing was heard for a whole interval after a ping. */
  lost(): void;
}

const SLOTS = 32;

/** A tick that is later than this shows that the process was blocked, so frames may be waiting unread. */
const LATENESS_MS = 100;

/**
 * Visits every connection once per `heartbeatMs`. A connection that was heard since the last visit is pinged; one that
 * was not is lost. So a silent peer is gone within two intervals. Connections are spread at random over the slots of
 * the interval, so that many that arrived together are not pinged together.
 */
@Injectable()
export class Heartbeat implements OnApplicationShutdown {
  private readonly slots = Array.from({ length: SLOTS }, () => new Set<HeartbeatTarget>());
  private readonly slotMs: number;
  private readonly timer: ReturnType<typeof setInterval>;
  private current = 0;
  private visitedAt = performance.now();

  constructor(config: LoopWsConfig) {
    this.slotMs = config.heartbeatMs / SLOTS;
    this.timer = setInterval(() => this.visitNextSlot(), this.slotMs).unref();
  }

  watch(connection: HeartbeatTarget): void {
    this.slots[Math.floor(Math.random() * SLOTS)]!.add(connection);
  }

  /**
   * Searches every slot, which takes a microsecond; remembering the slot would take memory for as long as the
   * connection lives.
   */
  unwatch(connection: HeartbeatTarget): void {
    for (const slot of this.slots) if (slot.delete(connection)) return;
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  private visitNextSlot(): void {
    const now = performance.now();
    const wasBlocked = now - this.visitedAt > this.slotMs + LATENESS_MS;
    this.visitedAt = now;
    this.current = (this.current + 1) % SLOTS;
    for (const connection of this.slots[this.current]!) visit(connection, wasBlocked);
  }
}

function visit(connection: HeartbeatTarget, wasBlocked: boolean): void {
  if (connection.consumeActivity() || wasBlocked) connection.ping();
  else connection.lost();
}
