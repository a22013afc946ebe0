import { ApiError } from './api.js';

/** What each result of a push to one connection means. */
const CONNECTION_RESULTS = {
  delivered: {
    tone: 'good',
    text: 'Its queue took the frame. Proof that the application there has it is an ask.',
  },
  filtered: {
    tone: 'wait',
    text: 'It is connected, and none of its subscriptions matches this event.',
  },
  not_connected: { tone: 'wait', text: 'There is no such connection, on any server.' },
  send_failed: { tone: 'bad', text: 'It could not take the frame: its reader is too slow.' },
  unknown: { tone: 'bad', text: 'A server did not answer in time, so nobody can tell.' },
};

const ASK_FAILURES = {
  not_connected: 'wait',
  filtered: 'wait',
  refused: 'wait',
  send_failed: 'bad',
  timeout: 'bad',
};

/** Why a report is not complete. */
const REASONS = {
  unanswered: 'A server did not answer',
  unavailable: 'The other servers could not be reached',
  timeout: 'The other servers could not be reached in time',
  backpressure: 'Too much is on its way to the other servers',
  failed: 'The way to the other servers failed',
};

/** Puts what came back in a word, a sentence and a tone. */
export function explain(outcome) {
  if (outcome instanceof ApiError) return explainError(outcome);
  if ('answer' in outcome) {
    return { word: 'answered', text: 'The application on the device has it.', tone: 'good' };
  }
  const { result } = outcome;
  if (typeof result === 'string') return { word: result, ...CONNECTION_RESULTS[result] };
  return explainReport(result);
}

function explainError({ status, body, message }) {
  const tone = ASK_FAILURES[body?.error];
  if (tone !== undefined) return { word: body.error, text: message, tone };
  return {
    word: status === 0 ? 'unreachable' : `refused with ${status}`,
    text: message,
    tone: 'bad',
  };
}

function explainReport({ delivered, filtered, failed, servers, complete, why }) {
  const sentences = [
    delivered > 0 && `${connections(delivered)} took it.`,
    filtered > 0 && `${connections(filtered)} had no subscription that matches.`,
    failed > 0 && `${connections(failed)} could not take it.`,
    delivered + filtered + failed === 0 && 'Nobody was there to receive it.',
    !complete && `${REASONS[why]}: there may be more.`,
  ];
  return {
    word: `${delivered} delivered`,
    text: sentences.filter(Boolean).join(' '),
    tone: failed > 0 || !complete ? 'bad' : delivered > 0 ? 'good' : 'wait',
    numbers: { delivered, filtered, failed, servers: `${servers.answered} of ${servers.expected}` },
  };
}

function connections(count) {
  return count === 1 ? '1 connection' : `${count} connections`;
}
