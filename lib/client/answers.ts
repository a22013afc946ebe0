import type { EventFrame } from '../protocol/frames.js';
import { clientError, LoopAnswerError, messageOf, type LoopClientError } from './client-errors.js';
import { byteLength, checkName, encodeFrame } from './frame-text.js';
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

  async function textOfAnswer({ ask = 0, event, data }: EventFrame): Promise<string> {
    try {
      const { maxPayload = 0 } = loop.welcome ?? {};
      const answerer = byName.get(event);
      if (!answerer)
        throw new LoopAnswerError('no_handler', `This client does not answer "${event}".`);
      const text = encodeFrame({ op: 'answer', ask, data: await answerer(data) });
      if (byteLength(text) <= maxPayload) return text;
      // It would cost the whole connection.
      throw new LoopAnswerError('frame_too_large', `The answer has more than ${maxPayload} bytes.`);
    } catch (thrown) {
      // Texts whatever was thrown: the protocol allows nothing else, and JavaScript everything.
      const cut = (text: unknown): string => String(text).slice(0, MAX_MESSAGE_LENGTH);
      const code = cut(thrown instanceof LoopAnswerError ? thrown.code : 'internal');
      const message = cut(messageOf(thrown));
      return encodeFrame({ op: 'answer', ask, error: { code, message } });
    }
  }

  return {
    add(name, answerer) {
      checkName(name);
      if (byName.has(name)) {
        throw clientError(
          'duplicate_answer',
          `"${name}" has an answerer already: call what answer() returned to remove it.`,
        );
      }
      // An object of its own, so that removing twice cannot remove a later registration of the same function.
      const own: Answerer = (data) => answerer(data);
      const stopListening = listen(name);
      byName.set(name, own);
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
          `The connection broke before "${question.event}" was answered: the server knows.`,
        ),
      );
    },
  };
}
