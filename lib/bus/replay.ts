import { Injectable } from '@nestjs/common';
import { closeOnAbort } from '../connections/close-on-abort.js';
import type { LoopConnection } from '../connections/loop-connection.js';
import { clientNameOf } from '../history/client-topics.js';
import { DurableTopics } from '../history/durable-topics.js';
import { CloseCode } from '../protocol/close-code.js';
import { encodePosition, type Position } from '../transport/position.js';
import type { Topic } from '../transport/topic.js';
import { TopicInterest } from '../transport/topic-interest.js';
import { SampledLogger } from '../util/sampled-logger.js';
import { TurnPace } from '../util/turn-pace.js';
import { durableTopicsOf } from './connection-topics.js';
import { DurableDelivery } from './durable-delivery.js';
import { SharedReads } from './shared-reads.js';
import { type Given, type ReplayTools, TopicReplay } from './topic-replay.js';

/** What a client said of its topics, by their names: a position, or `latest`. */
export type Since = Readonly<Record<string, string>>;

export interface ReplayAnswer {
  /** Events that were replayed, by topic. */
  readonly resumed: Readonly<Record<string, number>>;
  /** Topics of which something is lost, with the position from which they go on. */
  readonly reset: Readonly<Record<string, string>>;
}

/** A client that says where it was. */
export interface Resumption<Change> {
  readonly since: Since;
  /** What the same frame changes, which may bring topics that are new to the connection. */
  readonly change: () => Promise<Change>;
  /** Called before anything else of the topics of which something is lost is sent. */
  readonly tell: (changed: Change, answer: ReplayAnswer) => void;
  /** Aborted when the frame is given up. */
  readonly signal: AbortSignal;
}

/**
 * Events that all replays together send in one turn of the event loop, about a microsecond each: all who share a read
 * would go on in the very turn in which it is done.
 */
const REPLAYED_PER_TURN = 256;

/** How each topic, by the name that the client has for it, is replayed. */
type Plan = Map<string, (one: TopicReplay) => Promise<number | undefined>>;

const NOTHING_GIVEN: ReadonlyMap<string, Given> = new Map();

/** Brings a connection from where its client was to where its topics are, without a hole and without a double. */
@Injectable()
export class Replay {
  private readonly tools: ReplayTools;
  /** The last one of each connection. */
  private readonly running = new WeakMap<LoopConnection, Promise<void>>();

  constructor(
    private readonly durable: DurableTopics,
    delivery: DurableDelivery,
    private readonly interest: TopicInterest,
    private readonly logger: SampledLogger,
  ) {
    const pace = new TurnPace(REPLAYED_PER_TURN);
    this.tools = { durable, delivery, reads: new SharedReads(durable), pace };
  }

  /** The positions from which everything that is pushed reaches the connection. */
  positionsOf(connection: LoopConnection): Map<string, Position> {
    return new Map(
      durableTopicsOf(connection, this.durable).flatMap((topic): [string, Position][] => {
        const position = this.durable.positionOf(topic);
        return position === undefined ? [] : [[clientNameOf(topic), position]];
      }),
    );
  }

  /**
   * Sends everything that matches and was not sent on this connection before. Rejects when the change does. When a history
   * cannot be read, or not in time, the connection is closed: its client comes back with the positions that it has.
   */
  async run<Change>(
    connection: LoopConnection,
    { since, change, tell, signal }: Resumption<Change>,
  ): Promise<void> {
    await this.inTurn(connection, async () => {
      const names = Object.keys(since);
      const given = this.hold(connection, names);
      let changed: Change;
      try {
        changed = await change();
        await this.untilAttached(connection, names);
      } catch (error) {
        await this.letGo(connection, names, given);
        throw error;
      }
      closeOnAbort(connection, signal);
      const plan = planOf(connection.gate.openedAt());
      for (const [name, text] of Object.entries(since)) plan.set(name, (one) => one.since(text));
      await this.replay(connection, plan, given, ({ resumed, reset }) => {
        const asked = Object.entries(resumed).filter(([name]) => Object.hasOwn(since, name));
        tell(changed, { resumed: Object.fromEntries(asked), reset });
      });
    });
  }

  /** For a connection that waited long enough for its client, who is told that nothing before will come any more. */
  async goOn(connection: LoopConnection): Promise<void> {
    await this.inTurn(connection, async () => {
      if (!connection.gate.holdsAll) return;
      const opened = connection.gate.openedAt();
      for (const [name, position] of opened) connection.gate.restart(name, position);
      tellReset(connection, textsOf(opened));
      await this.replay(connection, planOf(opened), NOTHING_GIVEN, ({ reset }) =>
        tellReset(connection, reset),
      );
    });
  }

  /** One after the other: two at once would send the same, or let through what the other still holds. */
  private inTurn(connection: LoopConnection, work: () => Promise<void>): Promise<void> {
    const done = (this.running.get(connection) ?? Promise.resolve()).then(work);
    const settled = done.catch(() => {}); // the one who asked has the failure
    this.running.set(connection, settled);
    return done;
  }

  /** From here on what comes of these topics waits. Returns what was given of them before. */
  private hold(connection: LoopConnection, names: readonly string[]): Map<string, Given> {
    const { gate } = connection;
    if (gate.holdsAll) return new Map();
    const patterns = new Set(connection.patterns);
    const given = this.topicsIn(connection, names).flatMap((topic): [string, Given][] => {
      const name = clientNameOf(topic);
      const [from, to] = [gate.begunAt(name), this.durable.positionOf(topic)?.n];
      return from === undefined || to === undefined ? [] : [[name, { from, to, patterns }]];
    });
    for (const name of names) gate.hold(name);
    return new Map(given);
  }

  /** A room that is being joined is resumed as well. One that cannot be attached is none of the connection's topics. */
  private async untilAttached(connection: LoopConnection, names: readonly string[]): Promise<void> {
    const fresh = this.topicsIn(connection, names).filter(
      (topic) => this.durable.positionOf(topic) === undefined,
    );
    await this.interest.attached(fresh).catch(() => {});
  }

  /** Nothing has changed: what came meanwhile is sent. */
  private async letGo(
    connection: LoopConnection,
    names: readonly string[],
    given: ReadonlyMap<string, Given>,
  ): Promise<void> {
    if (connection.gate.holdsAll) return;
    const plan: Plan = new Map(names.map((name) => [name, (one) => one.sinceHeld()]));
    await this.replay(connection, plan, given, ({ reset }) => tellReset(connection, reset));
  }

  /** Replays those of the plan that the connection gets, and tells in the turn in which the lost ones go on. */
  private async replay(
    connection: LoopConnection,
    plan: Plan,
    given: ReadonlyMap<string, Given>,
    tell: (answer: ReplayAnswer) => void,
  ): Promise<void> {
    const resumed: Record<string, number> = {};
    const lost: [name: string, one: TopicReplay][] = [];
    const replaying = this.heldTopics(connection, [...plan.keys()]).map(async (topic) => {
      const name = clientNameOf(topic);
      const one = new TopicReplay(connection, topic, given.get(name), this.tools);
      const count = await plan.get(name)!(one);
      if (count !== undefined) {
        resumed[name] = count;
        return;
      }
      // What made the client lose something may not have been noticed here so far, and then it would be told twice.
      await this.durable.catchUp(topic);
      lost.push([name, one]);
    });
    try {
      await Promise.all(replaying);
    } catch (error) {
      this.logger.warn('replay', 'Histories could not be read; a client was sent away', error);
      connection.close(CloseCode.TryAgainLater, 'The histories cannot be read right now.');
    }
    const reset = lost.map(([name, one]) => [name, one.restart()]);
    tell({ resumed, reset: Object.fromEntries(reset) });
  }

  /** Those of the names that the connection gets and this server follows; all of them wait from here on. */
  private heldTopics(connection: LoopConnection, names: readonly string[]): Topic[] {
    const { gate } = connection;
    const topics = this.topicsIn(connection, names).filter(
      (topic) => this.durable.positionOf(topic) !== undefined,
    );
    const held = new Set(topics.map(clientNameOf));
    for (const name of names) if (!held.has(name)) gate.drop(name);
    for (const name of held) if (!gate.holds(name)) gate.hold(name);
    return topics;
  }

  private topicsIn(connection: LoopConnection, names: readonly string[]): Topic[] {
    const wanted = new Set(names);
    return durableTopicsOf(connection, this.durable).filter((topic) =>
      wanted.has(clientNameOf(topic)),
    );
  }
}

/** Topics go on from where they were when the connection was opened, as far as the client says nothing else. */
function planOf(opened: ReadonlyMap<string, Position>): Plan {
  return new Map([...opened].map(([name, position]) => [name, (one) => one.after(position)]));
}

export function textsOf(positions: ReadonlyMap<string, Position>): Record<string, string> {
  return Object.fromEntries(
    [...positions].map(([topic, position]) => [topic, encodePosition(position)]),
  );
}

function tellReset(connection: LoopConnection, topics: ReplayAnswer['reset']): void {
  if (Object.keys(topics).length > 0) connection.sendFrame({ op: 'reset', topics });
}
