import type { INestApplication } from '@nestjs/common';
import type { EventFrame, ServerFrame } from '../../protocol/frames.js';
import { LoopTestClient } from '../loop-test-client.js';
import { numberOf } from './diaries.js';
import type { ClientDiary, Sighting } from './records.js';
import type { RecordedData } from './recording-publisher.js';

export interface RecordingClientOptions {
  /** Whose account it is; named in the diary, and what `account` means there. */
  readonly accountId: string;
  readonly connectionId: string;
  /** Default: the account. */
  readonly token?: string;
  /** Default `['*:*']`. */
  readonly patterns?: readonly string[];
  /** How long each wait may take, in milliseconds. Default 2 000. */
  readonly timeoutMs?: number;
}

type Texts = Readonly<Record<string, string>>;

/**
 * A client that comes back where it was, by the rules of the protocol, and keeps a diary of all that it sees. It shares no
 * code with the client of this package.
 */
export class RecordingClient {
  private readonly sightings: Sighting[] = [];
  private readonly positions = new Map<string, string>();
  /** Topics of which it was told from where on it gets them. */
  private readonly begun = new Set<string>();
  private connection: LoopTestClient | undefined;
  /** Of the connection that it has or tries to get. */
  private attempt: object | undefined;
  private wasConnected = false;
  private isResuming = false;

  constructor(private readonly options: RecordingClientOptions) {}

  get diary(): ClientDiary {
    const { accountId, connectionId } = this.options;
    return { client: `${accountId}/${connectionId}`, accountId, sightings: this.sightings };
  }

  get isConnected(): boolean {
    return this.connection !== undefined;
  }

  /** By the names that the server has for the client's topics. */
  positionOf(topic: string): string | undefined {
    return this.positions.get(topic);
  }

  /** Connects and says where it was. Resolves when it has all that it missed. */
  async connect(target: INestApplication | string): Promise<void> {
    const { accountId, connectionId, token = accountId, timeoutMs } = this.options;
    const attempt = (this.attempt = {});
    const connection = await LoopTestClient.connect(target, {
      token,
      connectionId,
      ...(timeoutMs !== undefined && { timeoutMs }),
      query: { resume: '1' },
      // What comes on a connection that was given up is not for this client any more.
      onFrame: (frame) => void (this.attempt === attempt && this.receive(frame)),
    });
    try {
      await this.resume(connection);
    } catch (error) {
      this.attempt = undefined;
      void connection.close();
      throw error;
    }
  }

  /** Resolves when its connection has ended, at once if it has none. */
  async ended(): Promise<void> {
    await this.connection?.closed;
  }

  /** Resolves when it has all that its server has sent so far. */
  async catchUp(): Promise<void> {
    await this.connection?.ask({ op: 'ping' });
  }

  private async resume(connection: LoopTestClient): Promise<void> {
    const { patterns = ['*:*'] } = this.options;
    const since = Object.fromEntries(this.positions);
    const answer = await connection.ask({ op: 'subscribe', patterns, since });
    if (answer.op !== 'ok') throw new Error(`The server refused: ${JSON.stringify(answer)}`);
    this.connection = connection;
    void connection.closed.then(() => this.left(connection));
  }

  /** Ends the connection without a word. Resolves when it is gone. */
  async drop(): Promise<void> {
    const { connection } = this;
    if (connection === undefined) return;
    await connection.close();
    this.left(connection);
  }

  private left(connection: LoopTestClient): void {
    if (this.connection === connection) this.connection = undefined;
  }

  private receive(frame: ServerFrame): void {
    if (frame.op === undefined) return this.receiveEvent(frame);
    if (frame.op === 'welcome') {
      const resumed = this.wasConnected;
      this.sightings.push({ kind: 'connected', resumed, isCurrent: false, at: Date.now() });
      this.wasConnected = this.isResuming = true;
      return this.begin(frame.positions);
    }
    if (frame.op === 'positions') return this.begin(frame.topics);
    if (frame.op === 'reset') return this.reset(frame.topics);
    if (frame.op !== 'ok') return;
    this.begin(frame.positions);
    this.reset(frame.reset);
    if (!this.isResuming) return;
    this.isResuming = false;
    this.sightings.push({ kind: 'current', at: Date.now() });
  }

  private receiveEvent({ data, topic, pos }: EventFrame): void {
    const { publisher, number } = data as RecordedData;
    const placed = topic === undefined || pos === undefined ? {} : this.placed(topic, pos);
    this.sightings.push({ kind: 'event', publisher, number, ...placed, at: Date.now() });
  }

  private placed(topic: string, position: string): { topic: string; position: string } {
    this.positions.set(topic, position);
    return { topic: this.nameOf(topic), position };
  }

  /** A topic that is known already goes on from where the client is, unless the server says that it is further. */
  private begin(positions: Texts = {}): void {
    for (const [topic, position] of Object.entries(positions)) {
      const isFirst = !this.begun.has(topic); // events of it may have come before
      const isAhead = !this.positions.has(topic) || this.isAhead(topic, position);
      if (!isFirst && !isAhead) continue;
      if (isAhead) this.positions.set(topic, position);
      this.begun.add(topic);
      const kind = isFirst ? 'began' : 'moved';
      this.sightings.push({ kind, topic: this.nameOf(topic), position, at: Date.now() });
    }
  }

  /** While it resumes, what the server is ahead by is still to be replayed. */
  private isAhead(topic: string, position: string): boolean {
    return !this.isResuming && numberOf(position) > numberOf(this.positions.get(topic)!);
  }

  private reset(topics: Texts = {}): void {
    for (const [topic, position] of Object.entries(topics)) {
      this.positions.set(topic, position);
      this.begun.add(topic);
      const at = Date.now();
      this.sightings.push({ kind: 'reset', topic: this.nameOf(topic), position, at });
    }
  }

  private nameOf(topic: string): string {
    return topic === 'account' ? `account:${this.options.accountId}` : topic;
  }
}
