import { LoopAskError } from '../loop-ws.errors.js';
import type { AskMessage } from '../transport/transport-message.js';
import type { AskAnswer } from '../transport/transport-message.js';
import { connectionResultOf, type PushReport } from './push-result.js';

export interface AskOptions {
  /** How long to wait for the answer, in milliseconds. */
  readonly timeoutMs: number;
}

/** The client's answer, or a {@link LoopAskError} that says why there is none. */
export function answerOf(
  question: AskMessage,
  answer: AskAnswer | undefined,
  report: PushReport,
): unknown {
  if (answer?.ok) return answer.data === undefined ? undefined : JSON.parse(answer.data);
  const who = `${question.connection.accountId}/${question.connection.connectionId}`;
  if (answer !== undefined) {
    const { code, message } = answer.error;
    throw new LoopAskError('refused', `${who} refused "${question.name}": ${message}`, {
      code,
      message,
    });
  }
  throw failureOf(question, who, report);
}

function failureOf({ name, timeoutMs }: AskMessage, who: string, report: PushReport): LoopAskError {
  const result = connectionResultOf(report);
  switch (result) {
    case 'not_connected':
      return new LoopAskError(result, `${who} is not connected, so nobody was asked "${name}".`);
    case 'filtered':
      return new LoopAskError(result, `${who} holds no subscription that matches "${name}".`);
    case 'send_failed':
      return new LoopAskError(
        result,
        `${who} took no question, or closed before it answered "${name}".`,
      );
    case 'delivered':
    case 'unknown':
      return new LoopAskError('timeout', `${who} did not answer "${name}" within ${timeoutMs} ms.`);
  }
}
