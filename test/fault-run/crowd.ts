import { AppVisitor } from './app-visitor.js';
import type { Random } from '../support/random.js';
import { RecordingVisitor } from './recording-visitor.js';
import { ACCOUNTS, APPS_SHARE, DEVICES } from './scale.js';
import type { Visitor } from './visitor.js';

const DROPPED_EVERY_MS = 100;

/** All clients of a run. */
export class Crowd {
  readonly visitors: readonly Visitor[];
  private readonly dropping: ReturnType<typeof setInterval>;

  /** The seed decides who drops, and where each of them goes to. */
  constructor(
    urlOf: (random: Random) => string,
    private readonly random: Random,
  ) {
    this.visitors = Array.from({ length: ACCOUNTS * DEVICES }, (_, at) => {
      const own = random.fork();
      const Kind = own.next() < APPS_SHARE ? AppVisitor : RecordingVisitor;
      return new Kind({
        accountId: `a${at % ACCOUNTS}`,
        connectionId: `d${Math.floor(at / ACCOUNTS)}`,
        pickUrl: () => urlOf(own),
        random: () => own.next(),
      });
    });
    this.dropping = setInterval(() => this.dropSome(1), DROPPED_EVERY_MS);
  }

  get isWhole(): boolean {
    return this.visitors.every(({ isConnected }) => isConnected);
  }

  dropSome(count: number): void {
    for (let n = 0; n < count; n++) this.random.pick(this.visitors).drop();
  }

  /** Resolves when no client of the account is there; they come back when the function that it resolves with is called. */
  async sendAway(account: string): Promise<() => void> {
    const own = this.visitors.filter(({ accountId }) => accountId === account);
    await Promise.all(own.map((visitor) => visitor.sendAway()));
    return () => {
      for (const visitor of own) visitor.comeBack();
    };
  }

  /** Resolves when each has all that its server has sent so far, if it is connected. */
  async catchUp(): Promise<void> {
    await Promise.all(this.visitors.map((visitor) => visitor.catchUp().catch(() => {})));
  }

  /** From here on who is connected stays. */
  calm(): void {
    clearInterval(this.dropping);
  }

  async stop(): Promise<void> {
    this.calm();
    await Promise.all(this.visitors.map((visitor) => visitor.stop()));
  }
}
