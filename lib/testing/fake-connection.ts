import { FlushScheduler } from '../connections/flush-scheduler.js';
import {
  type ConnectionClose,
  type ConnectionEnd,
  type ConnectionMemberships,
  type ConnectionParts,
  LoopConnection,
} from '../connections/loop-connection.js';
import { type LoopSocket, SOCKET_OPEN } from '../connections/loop-socket.js';
import { Outbox } from '../connections/outbox.js';
import { SubscriptionGroup } from '../connections/subscription-groups.js';
import { TextFrame } from '../connections/text-frame.js';
import type { Wire } from '../connections/wire.js';
import { encodeEventFrame } from '../protocol/server-frame.encoder.js';
import { decodeServerFrame } from './server-frame.decoder.js';

export interface FakeConnectionOptions {
  readonly accountId: string;
  readonly connectionId: string;
  /** What `authenticate` would have said of it. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** What earlier hooks and handlers would have remembered on it. */
  readonly data?: Readonly<Record<string, unknown>>;
}

/** An event that was sent to a fake connection; `data` as its client would see it. */
export interface SentEvent {
  readonly name: string;
  readonly data: unknown;
}

/** What a fake connection was made to do. `rooms` and `subscriptions` are those of every connection. */
export interface FakeConnection extends LoopConnection {
  /** What was sent to it, in order. */
  readonly sent: readonly SentEvent[];
  /** How your code closed it. */
  readonly closed: ConnectionClose | undefined;
}

/**
 * An open connection without a socket, to call handlers and hooks with in unit tests. It is a real `LoopConnection`,
 * except that no options apply to it: every service is declared, nothing is too large or too many.
 *
 * @example
 * const connection = fakeConnection({ accountId: 'acme', connectionId: 'phone' });
 * await new Chat().enter({ room: 'lobby' }, connection);
 * expect([...connection.rooms]).toEqual(['lobby']);
 * expect(connection.sent).toEqual([{ name: 'chat:entered', data: { room: 'lobby' } }]);
 */
export function fakeConnection({ data, ...options }: FakeConnectionOptions): FakeConnection {
  const connection = new RecordingConnection(options, new Recording());
  Object.assign(connection.data, data);
  connection.markOpen({ op: 'pong' }); // any frame: only events are recorded
  return connection;
}

class RecordingConnection extends LoopConnection implements FakeConnection {
  constructor(
    options: FakeConnectionOptions,
    private readonly recording: Recording,
  ) {
    super(partsOf(options, recording));
  }

  get sent(): readonly SentEvent[] {
    return this.recording.sent;
  }

  get closed(): ConnectionClose | undefined {
    return this.recording.closed;
  }
}

/** The place of the wire: what would have gone to a client is kept. */
class Recording implements Wire, ConnectionEnd {
  readonly sent: SentEvent[] = [];
  closed: ConnectionClose | undefined;
  readonly writable = true;
  readonly backlog = 0;
  readonly writeAhead = Infinity;

  write(frames: readonly TextFrame[]): void {
    for (const { payload } of frames) {
      const frame = decodeServerFrame(payload.toString());
      if (frame && frame.op === undefined) {
        this.sent.push({ name: frame.event, data: frame.data });
      }
    }
  }

  onDrain(): void {}

  begin(close: ConnectionClose): void {
    this.closed = close;
  }
}

function partsOf(
  { accountId, connectionId, claims = {} }: FakeConnectionOptions,
  recording: Recording,
): ConnectionParts {
  return {
    registration: { accountId, connectionId, serverId: 'fake', registration: 'fake' },
    openedAt: 0,
    claims,
    socket: SILENT_SOCKET,
    outbox: new Outbox(recording, new AtOnce(), Infinity),
    memberships: NO_LIMITS,
    encode: (name, data) => new TextFrame(encodeEventFrame(name, JSON.stringify(data))),
    closeTimeoutMs: 0,
    end: recording,
  };
}

class AtOnce extends FlushScheduler {
  override schedule(outbox: { flush(): void }): void {
    outbox.flush();
  }
}

/** Keeps memberships on the connection alone. */
const NO_LIMITS: ConnectionMemberships = {
  async subscribe(connection, more) {
    connection.group = new SubscriptionGroup(new Set([...connection.patterns, ...more]));
  },
  unsubscribe(connection, less) {
    const left = [...connection.patterns].filter((pattern) => !less.includes(pattern));
    connection.group = new SubscriptionGroup(new Set(left));
  },
  async join(connection, room) {
    connection.enter(room);
  },
  leave(connection, room) {
    connection.exit(room);
  },
};

const SILENT_SOCKET: LoopSocket = {
  readyState: SOCKET_OPEN,
  extensions: '',
  bufferedAmount: 0,
  send: () => {},
  ping: () => {},
  pong: () => {},
  pause: () => {},
  resume: () => {},
  close: () => {},
  terminate: () => {},
  on: () => SILENT_SOCKET,
};
