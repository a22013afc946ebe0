import { connect, LoopClientError } from '/loopws/client/index.js';

import { socketUrl } from './servers.js';

/** The question a device answers; see `devices.controller.ts`. */
const STATUS_QUESTION = 'device:status.get';

/** Someone watches this page: come back sooner than the default cap of 30 s. */
const BACKOFF = { capMs: 4_000 };

/**
 * One device's connection: what it wants, and what it hears. Knows nothing of the page; the `observer` is told.
 * The client reconnects and resubscribes by itself; rooms are the server's business, so they are joined again here.
 */
export class DeviceConnection {
  /** `ready`, `busy`, `refuse` or `silent`: how it takes being asked for its status. */
  mood = 'ready';
  change = { state: 'connecting', attempt: 0 };
  retryAt = 0;
  rooms = new Set();

  #observer;
  #client;
  #wanted = new Set(['chat:*', STATUS_QUESTION]);
  #given = new Set();
  #unsubscribers = new Map();
  #arriving;

  constructor(account, device, observer) {
    this.account = account;
    this.device = device;
    this.#observer = observer;
  }

  get label() {
    return `${this.account} / ${this.device}`;
  }

  /** The server that it is connected to; empty while it is not. */
  get server() {
    return this.change.state === 'open' ? this.change.welcome.serverId : '';
  }

  get state() {
    return this.change.state;
  }

  /** What the server subscribed by itself first, then what was asked for. */
  get patterns() {
    const given = [...this.#given].map((pattern) => ({ pattern, given: true, answers: false }));
    const wanted = [...this.#wanted]
      .filter((pattern) => !this.#given.has(pattern))
      .map((pattern) => ({ pattern, given: false, answers: pattern === STATUS_QUESTION }));
    return [...given, ...wanted];
  }

  open() {
    this.#unsubscribers.clear();
    this.#client = connect(socketUrl, {
      token: this.account,
      connectionId: this.device,
      backoff: BACKOFF,
    });
    this.#client.onState((_, change) => this.#changed(change));
    this.#client.onError((error) => this.#problem(error));
    for (const pattern of this.#wanted) this.#listen(pattern);
    this.#changed({ state: 'connecting', attempt: 0 });
  }

  close() {
    this.#client.close();
  }

  /** Throws for text that is no pattern; what the server denies is told to the observer. */
  subscribe(pattern) {
    if (this.#unsubscribers.has(pattern)) return;
    this.#listen(pattern);
    this.#wanted.add(pattern);
    this.#observer.changed();
  }

  unsubscribe(pattern) {
    this.#unsubscribers.get(pattern)?.();
    this.#unsubscribers.delete(pattern);
    this.#wanted.delete(pattern);
    this.#observer.changed();
  }

  async join(room) {
    await this.#client.request('chat:room.join', { room });
    this.rooms.add(room);
    this.#observer.changed();
  }

  async leave(room) {
    await this.#client.request('chat:room.leave', { room });
    this.rooms.delete(room);
    this.#observer.changed();
  }

  async say(room, text) {
    await this.#client.request('chat:message.send', { room, text });
  }

  #listen(pattern) {
    const off = this.#client.on(pattern, (_, event) => this.#received(pattern, event));
    const offAnswer =
      pattern === STATUS_QUESTION ? this.#client.answer(pattern, () => this.#answer()) : () => {};
    this.#unsubscribers.set(pattern, () => {
      off();
      offAnswer();
    });
  }

  #answer() {
    if (this.mood === 'refuse') throw new LoopClientError('private', 'The device keeps it secret.');
    if (this.mood === 'silent') return new Promise(() => {});
    return { status: this.mood };
  }

  /** One frame that several patterns match calls each one's handler; it is still one event. */
  #received(pattern, event) {
    if (this.#arriving === undefined) {
      this.#arriving = { ...event, patterns: [] };
      queueMicrotask(() => {
        const arrived = this.#arriving;
        this.#arriving = undefined;
        this.#observer.received(arrived);
      });
    }
    this.#arriving.patterns.push(pattern);
  }

  #changed(change) {
    const before = this.change;
    this.change = change;
    if (change.state === 'waiting') this.retryAt = performance.now() + change.nextAttemptMs;
    if (change.state === 'open') this.#opened(change.welcome);
    this.#observer.stateChanged(before);
  }

  #opened({ subscriptions }) {
    this.#given = new Set(subscriptions);
    for (const pattern of this.#given) {
      if (!this.#unsubscribers.has(pattern)) this.#listen(pattern);
    }
    for (const room of this.rooms) void this.#rejoin(room);
  }

  async #rejoin(room) {
    try {
      await this.join(room);
    } catch (error) {
      // The next opening tries again, unless it is the server that says no.
      if (this.state === 'open')
        this.#observer.problem(`Could not rejoin ${room}: ${error.message}`);
    }
  }

  #problem(error) {
    if (error.pattern) {
      this.unsubscribe(error.pattern);
      this.#observer.denied(error);
    } else {
      this.#observer.problem(error.message);
    }
  }
}
