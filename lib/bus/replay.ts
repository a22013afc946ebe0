import { Injectable } from '@nestjs/common';
import { closeOnAbort } from '../connections/close-on-abort.js';
import type { LoopConnection } from '../connections/loop-connection.js';
import { clientNameOf } from '../history/client-topics.js';
import { DurableTopics } from '../history/durable-topics.js';
import { CloseCode } from '../protocol/close-code.js';
import type { TopicPositions } from '../protocol/frames.js';
import { encodePositions, type Position } from '../transport/position.js';
import type { Topic } from '../transport/topic.js';
import { TopicInterest } from '../transport/topic-interest.js';
import { SampledLogger } from '../util/sampled-logger.js';
import { TurnPace } from '../util/turn-pace.js';
import { durableTopicsOf } from './connection-topics.js';
import { DurableDelivery } from './durable-delivery.js';
import { SharedReads } from './shared-reads.js';
import { type Given, type ReplayTools, TopicReplay } from './topic-replay.js';

/** Where a client was in its topics, by topic name: a position, or `latest`. */
export type Since = TopicPositions;

export interface ReplayAnswer {
  /** Number of events that were replayed, by topic. */
  readonly resumed: Readonly<Record<string, number>>;
  /** Topics that lost events, with the position from which they continue. */
  readonly reset: TopicPositions;
}

/** A request of a client to resume from its positions. */
export interface Resumption<Change> {
  readonly since: Since;
  /** The change that the same frame asks for. It may add topics to the connection. */
  readonly change: () => Promise<Change>;
  /** Called before any later event of a topic that lost events is sent. */
  readonly tell: (changed: Change, answer: ReplayAnswer) => void;
  /** Aborted when nobody waits for the answer to the frame any more. */
  readonly signal: AbortSignal;
}

/**
 * Events that all replays together send in one turn of the event loop, at about a microsecond each. Without this limit,
 * all replays that share a read would continue in the turn in which it completes.
 */
const REPLAYED_PER_TURN = 256;

/** How each topic is replayed, by the client's name for it. */
type Plan = Map<string, (one: TopicReplay) => Promise<number | undefined>>;

const NOTHING_GIVEN: ReadonlyMap<string, Given> = new Map();

/**
 * Brings a connection from its client's positions to the current positions of its topics, without gaps or duplicates.
 */
@Injectable()
export class Replay {
  private readonly tools: ReplayTools;
  /** The latest replay of each connection. */
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

  /** The positions from which every push reaches the connection. */
  positionsOf(connection: LoopConnection): Map<string, Position> {
    return new Map(
      durableTopicsOf(connection, this.durable).flatMap((topic): [string, Position][] => {
        const position = this.durable.positionOf(topic);
        return position === undefined ? [] : [[clientNameOf(topic), position]];
      }),
    );
  }

  /**
   * Sends every event that matches and was not sent on this connection before. Rejects if `change` does. If a history
   * cannot be read, or not in time, the connection is closed; its client reconnects with its positions.
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

  /**
   * Ends the wait for a client that did not send its positions in time. A `reset` tells it that it missed what came
   * before.
   */
  async continueFromWelcome(connection: LoopConnection): Promise<void> {
    await this.inTurn(connection, async () => {
      if (!connection.gate.holdsAll) return;
      const opened = connection.gate.openedAt();
      for (const [name, position] of opened) connection.gate.restart(name, position);
      tellReset(connection, encodePositions(opened));
      await this.replay(connection, planOf(opened), NOTHING_GIVEN, ({ reset }) =>
        tellReset(connection, reset),
      );
    });
  }

  /**
   * Runs the replays of a connection one at a time: two at once would send the same events, or let through what the
   * other still holds.
   */
  private inTurn(connection: LoopConnection, work: () => Promise<void>): Promise<void> {
    const done = (this.running.get(connection) ?? Promise.resolve()).then(work);
    const settled = done.catch(() => {}); // the caller gets the rejection
    this.running.set(connection, settled);
    return done;
  }

  /** Holds these topics: their events wait from here on. Returns what the connection has already been given of them. */
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

  /**
   * A room that is being joined can be resumed as well. A topic that cannot be attached is not one of the connection's.
   */
  private async untilAttached(connection: LoopConnection, names: readonly string[]): Promise<void> {
    const fresh = this.topicsIn(connection, names).filter(
      (topic) => this.durable.positionOf(topic) === undefined,
    );
    await this.interest.attached(fresh).catch(() => {});
  }

  /** The change failed, so the connection keeps its topics: what arrived meanwhile is sent. */
  private async letGo(
    connection: LoopConnection,
    names: readonly string[],
    given: ReadonlyMap<string, Given>,
  ): Promise<void> {
    if (connection.gate.holdsAll) return;
    const plan: Plan = new Map(names.map((name) => [name, (one) => one.sinceHeld()]));
    await this.replay(connection, plan, given, ({ reset }) => tellReset(connection, reset));
  }

  /**
   * Replays the topics of the plan that the connection gets. Calls `tell` in the turn in which the lost ones continue.
   */
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
      // This server may not yet have noticed what made the client lose events; the client would then be told twice.
      await this.durable.catchUp(topic);
      lost.push([name, one]);
    });
    try {
      await Promise.all(replaying);
    } catch (error) {
      this.logger.warn(
        'replay',
        'A history could not be read; the client was disconnected, and will reconnect',
        error,
      );
      connection.close(CloseCode.TryAgainLater, 'The histories cannot be read right now.');
    }
    const reset = lost.map(([name, one]) => [name, one.restart()]);
    tell({ resumed, reset: Object.fromEntries(reset) });
  }

  /** The named topics that the connection gets and this server follows. All of them are held from here on. */
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

/** Topics continue from where they were when the connection was opened, unless the client says otherwise. */
function planOf(opened: ReadonlyMap<string, Position>): Plan {
  return new Map([...opened].map(([name, position]) => [name, (one) => one.after(position)]));
}

function tellReset(connection: LoopConnection, topics: ReplayAnswer['reset']): void {
  if (Object.keys(topics).length > 0) connection.sendFrame({ op: 'reset', topics });
}
