import { Injectable } from '@nestjs/common';
import type { LoopConnection } from '../connections/loop-connection.js';
import { TextFrame } from '../connections/text-frame.js';
import { LoopWsConfig } from '../loop-ws.config.js';
import type { ClientFrame } from '../protocol/frames.js';
import { cachedPatternsMatching } from '../protocol/remembered-patterns.js';
import { encodeEventFrame } from '../protocol/server-frame.encoder.js';
import {
  type AskAnswer,
  type AskMessage,
  EMPTY_REPLY,
  type ServerReply,
} from '../transport/transport-message.js';

type AnswerFrame = Extract<ClientFrame, { op: 'answer' }>;
type Settle = (reply: ServerReply) => void;

const FILTERED: ServerReply = { delivered: 0, filtered: 1, failed: 0 };
const SEND_FAILED: ServerReply = { delivered: 0, filtered: 0, failed: 1 };
const UNANSWERED: ServerReply = { delivered: 1, filtered: 0, failed: 0 };

/** Questions to this server's connections that await an answer. */
@Injectable()
export class OpenAsks {
  private readonly byConnection = new Map<LoopConnection, Map<number, Settle>>();
  private lastAsk = 0;

  constructor(private readonly config: LoopWsConfig) {}

  /** Resolves with the connection's answer, or without an `answer` if none came in time. */
  async ask(connection: LoopConnection | undefined, question: AskMessage): Promise<ServerReply> {
    if (connection?.state !== 'open') return EMPTY_REPLY;
    if (!connection.isSubscribedToAny(cachedPatternsMatching(question.name))) return FILTERED;
    const open = this.byConnection.get(connection) ?? new Map<number, Settle>();
    if (open.size >= this.config.maxOpenAsks) return SEND_FAILED;
    this.byConnection.set(connection, open);
    const ask = ++this.lastAsk;
    const deadline = performance.now() + question.timeoutMs;
    const frame = new TextFrame(encodeEventFrame(question.name, question.data, ask), deadline);
    if (!connection.deliver(frame)) return SEND_FAILED;
    return this.answerOf(connection, open, ask, question.timeoutMs);
  }

  /** Returns `false` if no question with this number is open on the connection. */
  settle(connection: LoopConnection, frame: AnswerFrame): boolean {
    const settle = this.byConnection.get(connection)?.get(frame.ask);
    settle?.({ ...UNANSWERED, answer: answerIn(frame) });
    return settle !== undefined;
  }

  /**
   * Whether this server ever asked a question with this number, even if it is settled or went to an earlier connection.
   */
  wasAsked(ask: number): boolean {
    return ask > 0 && ask <= this.lastAsk;
  }

  /** Settles the questions of a connection that is gone. */
  abandon(connection: LoopConnection): void {
    for (const settle of this.byConnection.get(connection)?.values() ?? []) settle(SEND_FAILED);
    this.byConnection.delete(connection);
  }

  private answerOf(
    connection: LoopConnection,
    open: Map<number, Settle>,
    ask: number,
    timeoutMs: number,
  ): Promise<ServerReply> {
    return new Promise((resolve) => {
      const settle: Settle = (reply) => {
        clearTimeout(timer);
        open.delete(ask);
        if (open.size === 0) this.byConnection.delete(connection);
        resolve(reply);
      };
      const timer = setTimeout(() => settle(UNANSWERED), timeoutMs);
      open.set(ask, settle);
    });
  }
}

function answerIn(frame: AnswerFrame): AskAnswer {
  if ('error' in frame) return { ok: false, error: frame.error };
  return { ok: true, data: JSON.stringify(frame.data) };
}
