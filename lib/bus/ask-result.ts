import { LoopAskError } from '../loop-ws.errors.js';
import type { AskMessage, ServerReply } from '../transport/transport-message.js';
import { connectionResultOf, type Elsewhere, receiptIn, reportOf } from './push-result.js';

export interface AskOptions {
  /**
   * How long to wait for the answer, in milliseconds: above 0 and at most 2 147 483 647. Required: there is no default.
   */
  readonly timeoutMs: number;
}

/**
 * The client's answer. Throws a {@link LoopAskError} that says why there is none.
 *
 * @param timeIsUp Whether the other servers had their full time to answer.
 */
export function answerOf(
  question: AskMessage,
  here: ServerReply,
  elsewhere: Elsewhere,
  timeIsUp: boolean,
): unknown {
  const replies = [here, ...receiptIn(elsewhere).replies];
  const answer = replies.find((reply) => reply.answer)?.answer;
  const who = `${question.connection.accountId}/${question.connection.connectionId}`;
  if (answer === undefined) throw failureOf(question, who, here, elsewhere, timeIsUp);
  if (answer.ok) return answer.data === undefined ? undefined : JSON.parse(answer.data);
  const { code, message } = answer.error;
  const details = { code, message };
  throw new LoopAskError('refused', `${who} refused "${question.name}": ${message}`, details);
}

function failureOf(
  { name, timeoutMs }: AskMessage,
  who: string,
  here: ServerReply,
  elsewhere: Elsewhere,
  timeIsUp: boolean,
): LoopAskError {
  const result = connectionResultOf(reportOf(here, elsewhere));
  if (result === 'not_connected')
    return new LoopAskError(result, `${who} is not connected, so "${name}" was not asked.`);
  if (result === 'filtered')
    return new LoopAskError(result, `${who} has no subscription that matches "${name}".`);
  if (result === 'send_failed') {
    const message = `${who} did not take the question "${name}", or disconnected before answering it.`;
    return new LoopAskError(result, message);
  }
  // If a receipt is incomplete before the time is up, a server could not be reached; it is not merely late to answer.
  if (result === 'unknown' && ('why' in elsewhere || !timeIsUp)) {
    const message = `It is unknown whether ${who} was asked "${name}": other servers could not be reached.`;
    return new LoopAskError(result, message);
  }
  return new LoopAskError('timeout', `${who} did not answer "${name}" within ${timeoutMs} ms.`);
}
