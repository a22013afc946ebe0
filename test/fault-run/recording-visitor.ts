import { setTimeout as delay } from 'node:timers/promises';
import { type ClientDiary, RecordingClient } from '../../lib/testing/index.js';
import { eventually } from '../support/eventually.js';
import { LONGEST_AWAY_MS, type Visitor, type VisitorOptions } from './visitor.js';

const TIMEOUT_MS = 8_000;

/** A client of the test tools, which goes by the letter of the protocol. */
export class RecordingVisitor implements Visitor {
  readonly promisedFrom = -Infinity;
  private readonly client: RecordingClient;
  private readonly life: Promise<void>;
  /** Whether it neither has a connection nor tries to get one. */
  private isResting = true;
  private isAway = false;
  private stopped = false;

  constructor(private readonly options: VisitorOptions) {
    this.client = new RecordingClient({ ...options, timeoutMs: TIMEOUT_MS });
    this.life = this.live();
  }

  get accountId(): string {
    return this.options.accountId;
  }

  get diary(): ClientDiary {
    return this.client.diary;
  }

  get isConnected(): boolean {
    return this.client.isConnected;
  }

  drop(): void {
    void this.client.drop();
  }

  async sendAway(): Promise<void> {
    this.isAway = true;
    this.drop();
    await eventually('a client is away', () => this.isResting, 2 * TIMEOUT_MS);
  }

  comeBack(): void {
    this.isAway = false;
  }

  catchUp(): Promise<void> {
    return this.client.catchUp();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.client.drop();
    await this.life;
  }

  private async live(): Promise<void> {
    while (!this.stopped) {
      await delay(this.options.random() * LONGEST_AWAY_MS);
      if (!this.isAway) await this.visit();
    }
  }

  private async visit(): Promise<void> {
    this.isResting = false;
    try {
      await this.client.connect(this.options.pickUrl());
      if (this.isAway || this.stopped) await this.client.drop(); // it was sent away while it was on its way
      await this.client.ended();
    } catch {
      // the server is not there, or cannot take it now: another one may
    } finally {
      this.isResting = true;
    }
  }
}
