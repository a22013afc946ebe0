import type { AnswerError } from '../protocol/frames.js';
import { ErrorCode } from '../protocol/error-code.js';
import { ClientErrorCode, LoopClientError, messageOf } from './client-errors.js';
import { byteLength, encodeClientFrame } from './frame-text.js';

/** An answerer may throw this to choose the `code` that the server is told. */
export class LoopAnswerError extends Error {
  override readonly name = 'LoopAnswerError';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

type Answerer = (data: unknown) => unknown;

export interface Question {
  readonly ask: number;
  readonly name: string;
  readonly data: unknown;
}

/** Who answers which of the server's questions: at most one per name, since a question has one answer. */
export class Answerers {
  readonly #byName = new Map<string, Answerer>();

  add(name: string, answerer: Answerer): () => void {
    if (this.#byName.has(name)) throw duplicateAnswer(name);
    // An object of its own, so that removing twice cannot remove a later registration of the same function.
    const own: Answerer = (data) => answerer(data);
    this.#byName.set(name, own);
    return () => {
      if (this.#byName.get(name) === own) this.#byName.delete(name);
    };
  }

  /**
   * Text of the answer frame, at most `maxPayload` bytes. Never rejects: a question that is left open would hold the
   * server until its deadline.
   */
  async answer({ ask, name, data }: Question, maxPayload: number): Promise<string> {
    try {
      const answer = await this.#resultOf(name, data);
      return checkedLength(encodeClientFrame({ op: 'answer', ask, data: answer }), maxPayload);
    } catch (thrown) {
      return encodeClientFrame({ op: 'answer', ask, error: errorOf(thrown) });
    }
  }

  #resultOf(name: string, data: unknown): unknown {
    const answerer = this.#byName.get(name);
    if (answerer !== undefined) return answerer(data);
    throw new LoopAnswerError(ErrorCode.NoHandler, `This client does not answer "${name}".`);
  }
}

/** Longer messages tell the server no more, and a frame above its limit would cost the connection. */
const MAX_MESSAGE_LENGTH = 1_000;

/** Texts whatever was thrown: the protocol allows nothing else, and JavaScript everything. */
function errorOf(thrown: unknown): AnswerError {
  const code: unknown = thrown instanceof LoopAnswerError ? thrown.code : ErrorCode.Internal;
  const message: unknown = messageOf(thrown);
  return {
    code: String(code).slice(0, MAX_MESSAGE_LENGTH),
    message: String(message).slice(0, MAX_MESSAGE_LENGTH),
  };
}

/** A longer frame would cost the whole connection. */
function checkedLength(text: string, maxPayload: number): string {
  const bytes = byteLength(text);
  if (bytes <= maxPayload) return text;
  throw new LoopAnswerError(
    ClientErrorCode.FrameTooLarge,
    `The answer takes ${bytes} bytes and the server accepts ${maxPayload}.`,
  );
}

function duplicateAnswer(name: string): LoopClientError {
  return new LoopClientError(
    ClientErrorCode.DuplicateAnswer,
    `"${name}" has an answerer already: remove it with the function that answer() returned.`,
  );
}
