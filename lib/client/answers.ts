import type { EventFrame } from '../protocol/frames.js';
import type { Calls } from './calls.js';
import { clientError, LoopClientError, messageOf } from './client-errors.js';
import { checkName } from './frame-text.js';
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
  sayNow: Calls['sayNow'],
  listen: (name: string) => () => void,
  report: (error: LoopClientError) => void,
): Answers {
  const byName = new Map<string, Answerer>();

  async function answerTo({ event, data }: EventFrame): Promise<unknown> {
    const answerer = byName.get(event);
    if (answerer) return answerer(data);
    throw new LoopClientError('no_handler', `This client does not answer "${event}".`);
  }

  /** Texts whatever was thrown: the protocol allows nothing else, and JavaScript everything. */
  function errorOf(thrown: unknown): { code: string; message: string } {
    const cut = (text: unknown): string => String(text).slice(0, MAX_MESSAGE_LENGTH);
    const code = thrown instanceof LoopClientError ? thrown.code : 'internal';
    return { code: cut(code), message: cut(messageOf(thrown)) };
  }

  return {
    add(name, answerer) {
      checkName(name);
      if (byName.has(name)) throw clientError('duplicate_answer', [name]);
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
      const { ask = 0, event } = question;
      const { welcome } = loop;
      // The number of a question means something on its own connection only.
      const say = (outcome: { data: unknown } | { error: { code: string; message: string } }): void => {
        if (welcome !== loop.welcome) throw clientError('not_open', [event]);
        sayNow({ op: 'answer', ask, ...outcome });
      };
      try {
        say({ data: await answerTo(question) });
      } catch (thrown) {
        try {
          say({ error: errorOf(thrown) });
        } catch {
          report(clientError('connection_lost', [`the answer to "${event}"`]));
        }
      }
    },
  };
}
