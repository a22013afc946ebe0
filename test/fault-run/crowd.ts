import { setTimeout as delay } from 'node:timers/promises';
import { RecordingClient } from '../../lib/testing/index.js';
import { ACCOUNTS, DEVICES } from './scale.js';

const LONGEST_AWAY_MS = 400;
const DROPPED_EVERY_MS = 100;

/** One client that comes back for ever, to any server. */
class Visitor {
  readonly client: RecordingClient;
  /** Kept away for a while. */
  isAway = false;
  private stopped = false;

  constructor(
    readonly accountId: string,
    connectionId: string,
    private readonly pickUrl: () => string,
  ) {
    this.client = new RecordingClient({ accountId, connectionId, timeoutMs: 8_000 });
  }

  async live(): Promise<void> {
    while (!this.stopped) {
      await delay(Math.random() * LONGEST_AWAY_MS);
      if (this.isAway) continue;
      try {
        await this.client.connect(this.pickUrl());
        await this.client.ended();
      } catch {
        // the server is not there, or cannot take it now: another one may
      }
    }
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.client.drop();
  }
}

/** All clients of a run. */
export class Crowd {
  readonly visitors: Visitor[];
  private readonly lives: Promise<void>[];
  private readonly dropping: ReturnType<typeof setInterval>;

  constructor(pickUrl: () => string) {
    this.visitors = Array.from({ length: ACCOUNTS * DEVICES }, (_, at) => {
      return new Visitor(`a${at % ACCOUNTS}`, `d${Math.floor(at / ACCOUNTS)}`, pickUrl);
    });
    this.lives = this.visitors.map((visitor) => visitor.live());
    this.dropping = setInterval(() => this.dropSome(1), DROPPED_EVERY_MS);
  }

  get connected(): number {
    return this.visitors.filter(({ client }) => client.isConnected).length;
  }

  get isWhole(): boolean {
    return this.connected === this.visitors.length;
  }

  dropSome(count: number): void {
    for (let n = 0; n < count; n++) {
      const at = Math.floor(Math.random() * this.visitors.length);
      void this.visitors[at]!.client.drop();
    }
  }

  /** Keeps the clients of an account away until the returned function is called. */
  sendAway(account: string): () => void {
    const own = this.visitors.filter(({ accountId }) => accountId === account);
    for (const visitor of own) {
      visitor.isAway = true;
      void visitor.client.drop();
    }
    return () => {
      for (const visitor of own) visitor.isAway = false;
    };
  }

  /** From here on who is connected stays. */
  calm(): void {
    clearInterval(this.dropping);
  }

  async stop(): Promise<void> {
    this.calm();
    await Promise.all(this.visitors.map((visitor) => visitor.stop()));
    await Promise.all(this.lives);
  }
}
