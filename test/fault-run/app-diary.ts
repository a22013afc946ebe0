import type { ClientDiary, RecordedData, ServerFrame, Sighting } from '../../lib/testing/index.js';

type Texts = Readonly<Record<string, string>>;

interface Place {
  readonly topic: string;
  readonly position: string;
}

/**
 * The diary of an application that uses the client of this package. That something happened is what the client tells its
 * listeners; where it is in its history is not told to them, so that is looked up in the frames.
 */
export class AppDiary {
  private readonly sightings: Sighting[] = [];
  /** Of events, by publisher and number. */
  private readonly places = new Map<string, Place>();
  /** Of the last reset, by topic. */
  private readonly resets = new Map<string, string>();
  private readonly begun = new Set<string>();
  private wasConnected = false;
  private isResuming = false;
  /** Whether everything that was missed has come on this connection. */
  isCurrent = false;
  /** When the first subscription was granted: what was pushed before matched nothing. Milliseconds since 1970. */
  grantedAt = Infinity;

  constructor(
    private readonly accountId: string,
    private readonly connectionId: string,
  ) {}

  get diary(): ClientDiary {
    const { accountId, connectionId, sightings } = this;
    return { client: `${accountId}/${connectionId}`, accountId, sightings };
  }

  // What was in the frames, before the client has seen them.

  dialled(url: string): void {
    this.isResuming = new URL(url).searchParams.has('resume');
    this.isCurrent = false;
  }

  /** Resets are in the same `ok` that ends what was missed, and nothing is current before those were told. */
  received(frame: ServerFrame): void {
    if (frame.op === undefined) {
      const { data, topic, pos } = frame;
      if (topic === undefined || pos === undefined) return;
      const place = { topic: this.nameOf(topic), position: pos };
      this.places.set(keyOf(data as RecordedData), place);
    } else if (frame.op === 'welcome') this.connected(frame.positions);
    else if (frame.op === 'positions') this.begin(frame.topics);
    else if (frame.op === 'reset') this.noteResets(frame.topics);
    else if (frame.op === 'ok') {
      this.begin(frame.positions);
      this.noteResets(frame.reset);
      const ends = this.isResuming ? frame.resumed : frame.granted;
      if (ends !== undefined) this.becameCurrent();
    }
  }

  // What the client told.

  saw(data: RecordedData): void {
    const { publisher, number } = data;
    const place = this.places.get(keyOf(data));
    this.sightings.push({ kind: 'event', publisher, number, ...place, at: Date.now() });
  }

  wasReset(clientTopic: string): void {
    const topic = this.nameOf(clientTopic);
    const position = this.resets.get(topic) ?? '0.unknown';
    this.sightings.push({ kind: 'reset', topic, position, at: Date.now() });
  }

  private connected(positions?: Texts): void {
    const resumed = this.wasConnected;
    this.wasConnected = true;
    this.sightings.push({ kind: 'connected', resumed, isCurrent: false, at: Date.now() });
    this.begin(positions);
  }

  private begin(positions: Texts = {}): void {
    for (const [clientTopic, position] of Object.entries(positions)) {
      const topic = this.nameOf(clientTopic);
      if (this.begun.has(topic)) continue;
      this.begun.add(topic);
      this.sightings.push({ kind: 'began', topic, position, at: Date.now() });
    }
  }

  private noteResets(positions: Texts = {}): void {
    for (const [topic, position] of Object.entries(positions)) {
      this.begun.add(this.nameOf(topic));
      this.resets.set(this.nameOf(topic), position);
    }
  }

  private becameCurrent(): void {
    if (this.isCurrent) return;
    this.isCurrent = true;
    this.grantedAt = Math.min(this.grantedAt, Date.now());
    this.sightings.push({ kind: 'current', at: Date.now() });
  }

  private nameOf(topic: string): string {
    return topic === 'account' ? `account:${this.accountId}` : topic;
  }
}

function keyOf({ publisher, number }: RecordedData): string {
  return `${publisher} ${number}`;
}
