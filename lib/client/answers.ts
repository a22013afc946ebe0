import type { EventFrame } from '../protocol/frames.js';
import { checkedName } from './calls.js';
import { clientError, LoopAnswerError, messageOf, type LoopClientError } from './client-errors.js';
import { byteLength, encodeFrame } from './frame-text.js';
import type { LoopStatus } from './loop-state.js';

type Answerer = (data: unknown) => unknown;

/** Longer messages tell the server no more, and a frame above its limit would cost the connection. */
const MAX_MESSAGE_LENGTH = 1_000;

/** Who answers which of the server's questions: at most one per name, since a question has one answer. */
export interface Answers {
  /** Returns the answerer's own end. */
  readonly add: (name: string, answerer: Answerer) => () => void;
  /** Never rejects: a question that is left open would hold the server until its deadline. */
  readonly reply: (question: EventFrame) => Promise<void>;
}

/** `listen` makes events of a name come: a question reaches only connections that are subscribed to it. */
export function createAnswers(
  loop: Readonly<LoopStatus>,
  write: (text: string) => boolean,
  listen: (name: string) => () => void,
  report: (error: LoopClientError) => void,
): Answers {
  const byName = new Map<string, Answerer>();

  async function answerTo(name: string, data: unknown): Promise<unknown> {
    const answerer = byName.get(name);
    if (answerer) return answerer(data);
    throw new LoopAnswerError('no_handler', `This client does not answer "${name}".`);
  }

  async function textOfAnswer({ ask = 0, event, data }: EventFrame): Promise<string> {
    try {
      const { maxPayload = Infinity } = loop.welcome ?? {};
      const text = encodeFrame({ op: 'answer', ask, data: await answerTo(event, data) });
      if (byteLength(text) <= maxPayload) return text;
      // It would cost the whole connection.
      throw new LoopAnswerError(
        'frame_too_large',
        `The answer takes more than ${maxPayload} bytes.`,
      );
    } catch (thrown) {
      // Texts whatever was thrown: the protocol allows nothing else, and JavaScript everything.
      const code = thrown instanceof LoopAnswerError ? thrown.code : 'internal';
      const cut = (text: unknown): string => String(text).slice(0, MAX_MESSAGE_LENGTH);
      return encodeFrame({
        op: 'answer',
        ask,
        error: { code: cut(code), message: cut(messageOf(thrown)) },
      });
    }
  }

  return {
    add(name, answerer) {
      if (byName.has(checkedName(name))) {
        throw clientError(
          'duplicate_answer',
          `"${name}" has an answerer already: remove it with the function that answer() returned.`,
        );
      }
      // An object of its own, so that removing twice cannot remove a later registration of the same function.
      const own: Answerer = (data) => answerer(data);
      byName.set(name, own);
      const stopListening = listen(name);
      return () => {
        if (byName.get(name) === own) byName.delete(name);
        stopListening();
      };
    },
    async reply(question) {
      // The number of a question means something on its own connection only.
      const { welcome } = loop;
      const text = await textOfAnswer(question);
      if (welcome === loop.welcome && write(text)) return;
      report(
        clientError(
          'connection_lost',
          `The connection broke before the answer to "${question.event}" was written; the server knows.`,
        ),
      );
    },
  };
}
