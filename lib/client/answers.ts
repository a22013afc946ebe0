import type { AnswerError, EventFrame } from '../protocol/frames.js';
import type { Calls } from './calls.js';
import { clientError, LoopClientError, messageOf } from './client-errors.js';
import { checkForm } from './frame-text.js';
import { type LoopStatus, openConnection } from './loop-state.js';

type Answerer = (data: unknown) => unknown;

type Outcome = { readonly data: unknown } | { readonly error: AnswerError };

/** In characters. Longer messages would tell the server no more, and one above its limit could not be sent at all. */
const MAX_MESSAGE_LENGTH = 1_000;

/** The answerers for the server's questions: at most one per name, since a question has one answer. */
export interface Answers {
  /** Returns a function that removes the answerer. */
  readonly add: (name: string, answerer: Answerer) => () => void;
  /** Never rejects: a question without an answer would make the server wait until its deadline. */
  readonly reply: (question: EventFrame) => Promise<void>;
}

/** `listen` subscribes to a name: a question reaches only connections that are subscribed to it. */
export function createAnswers(
  loop: Readonly<LoopStatus>,
  sendNow: Calls['sendNow'],
  listen: (name: string) => () => void,
  report: (error: LoopClientError) => void,
): Answers {
  const byName = new Map<string, Answerer>();

  async function answerTo({ event, data }: EventFrame): Promise<unknown> {
    const answerer = byName.get(event);
    if (answerer) return answerer(data);
    throw clientError('no_handler', event);
  }

  return {
    add(name, answerer) {
      checkForm(name);
      if (byName.has(name)) throw clientError('duplicate_answer', name);
      // A new function, so that removing it twice cannot remove a later registration of the same answerer.
      const own: Answerer = (data) => answerer(data);
      const stopListening = listen(name);
      byName.set(name, own);
      return () => {
        if (byName.get(name) === own) byName.delete(name);
        stopListening();
      };
    },
    reply(question) {
      const { ask = 0, event } = question;
      const connection = openConnection(loop);
      const say = (outcome: Outcome): void => {
        // The number of a question is valid only on the connection that it came from.
        if (connection !== openConnection(loop)) {
          throw clientError('connection_lost', `"${event}"`);
        }
        sendNow({ op: 'answer', ask, ...outcome });
      };
      return answerTo(question)
        .then((data) => say({ data }))
        .catch((thrown: unknown) => say({ error: answerError(thrown) }))
        .catch(report);
    },
  };
}

function answerError(thrown: unknown): AnswerError {
  const code = thrown instanceof LoopClientError ? thrown.code : 'internal';
  return { code, message: messageOf(thrown).slice(0, MAX_MESSAGE_LENGTH) };
}
