import { WebSocket } from 'ws';
import { connect, type LoopClient } from '../../lib/client/index.js';
import type { ClientDiary, RecordedData } from '../../lib/testing/index.js';
import { eventually } from '../support/eventually.js';
import { AppDiary } from './app-diary.js';
import { LONGEST_AWAY_MS, type Visitor, type VisitorOptions } from './visitor.js';
import { watchedWebSocket } from './watched-socket.js';

const TIMEOUT_MS = 8_000;

/** Nobody listens there. */
const NOWHERE = 'ws://127.0.0.1:1/ws';

/** An application that uses the client of this package, as it is shipped. */
export class AppVisitor implements Visitor {
  private readonly client: LoopClient;
  private readonly app: AppDiary;
  private socket: WebSocket | undefined;
  private isAway = false;
  private stopped = false;

  constructor(private readonly options: VisitorOptions) {
    const { accountId, connectionId, pickUrl, random } = options;
    this.app = new AppDiary(accountId, connectionId);
    this.client = connect(() => (this.isAway ? NOWHERE : pickUrl()), {
      token: accountId,
      connectionId,
      random,
      backoff: { baseMs: LONGEST_AWAY_MS, capMs: LONGEST_AWAY_MS },
      connectTimeoutMs: TIMEOUT_MS,
      requestTimeoutMs: TIMEOUT_MS,
      WebSocket: watchedWebSocket({
        opened: (socket) => this.opened(socket),
        received: (frame) => this.app.received(frame),
      }),
    });
    this.client.on('*:*', (data) => this.app.saw(data as RecordedData));
    this.client.onReset(({ topic }) => this.app.wasReset(topic));
    this.client.onError(() => {}); // connections that fail are the point
    this.client.onState((state, change) => {
      if (state === 'closed' && !this.stopped) console.error(this.diary.client, change);
    });
  }

  get accountId(): string {
    return this.options.accountId;
  }

  get diary(): ClientDiary {
    return this.app.diary;
  }

  get promisedFrom(): number {
    return this.app.grantedAt;
  }

  get isConnected(): boolean {
    return this.client.state === 'open' && this.app.isCurrent;
  }

  drop(): void {
    this.socket?.terminate();
  }

  async sendAway(): Promise<void> {
    this.isAway = true;
    this.drop();
    await eventually('a client is away', () => this.isGone, TIMEOUT_MS);
  }

  comeBack(): void {
    this.isAway = false;
  }

  async catchUp(): Promise<void> {
    await this.client.ping();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.client.close();
  }

  private get isGone(): boolean {
    const { socket } = this;
    return socket?.readyState === WebSocket.CLOSED || socket?.url.startsWith(NOWHERE) === true;
  }

  private opened(socket: WebSocket): void {
    this.socket = socket;
    this.app.dialled(socket.url);
  }
}
