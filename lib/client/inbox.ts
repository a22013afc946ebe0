import { parseEventName } from '../protocol/event-name.js';
import type { EventFrame } from '../protocol/frames.js';
import { Answerers, type Question } from './answerers.js';
import { checkedName } from './checked-name.js';
import { ClientErrorCode, LoopClientError } from './client-errors.js';
import type { Connection } from './connection.js';
import { EventHandlers } from './event-handlers.js';
import type { ProblemReporter } from './problem-reporter.js';

/** Events on their way to the application, and its answers on their way back. */
export class Inbox {
  readonly handlers: EventHandlers;
  readonly #answerers = new Answerers();
  readonly #problems: ProblemReporter;

  /** `changed` hears of each pattern that became wanted or unwanted. */
  constructor(problems: ProblemReporter, changed: (pattern: string) => void) {
    this.#problems = problems;
    this.handlers = new EventHandlers(problems.handlerFailed, changed);
  }

  /** A question reaches only connections that are subscribed to it, so answering subscribes. */
  answer(name: string, answerer: (data: unknown) => unknown): () => void {
    const removeAnswerer = this.#answerers.add(checkedName(name), answerer);
    const unsubscribe = this.handlers.add(name, () => {});
    return () => {
      removeAnswerer();
      unsubscribe();
    };
  }

  receive({ event: name, data, ask }: EventFrame, connection: Connection): void {
    if (parseEventName(name) === undefined) this.#problems.report(badNameError(name));
    else this.handlers.dispatch(name, data);
    if (ask !== undefined) void this.#reply({ ask, name, data }, connection);
  }

  /** The number of a question means something on its own connection only. */
  async #reply(question: Question, connection: Connection): Promise<void> {
    const text = await this.#answerers.answer(question, connection.maxPayload);
    if (!connection.write(text)) this.#problems.report(lostAnswerError(question.name));
  }
}

function badNameError(name: string): LoopClientError {
  return new LoopClientError(
    ClientErrorCode.UnreadableFrame,
    'The server sent an event whose name is not "service:event"; no handler was called.',
    { details: name.slice(0, 200) },
  );
}

function lostAnswerError(name: string): LoopClientError {
  return new LoopClientError(
    ClientErrorCode.ConnectionLost,
    `The connection broke before the answer to "${name}" was written; the server knows.`,
  );
}
