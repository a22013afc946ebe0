import type { AskAnswer, ServerReply } from '../transport-message.js';

type Fields<T> = { readonly [Field in keyof T]?: unknown };

/** Whether this is a valid reply of another process. Unknown fields are accepted: a later version may add them. */
export function isServerReply(reply: unknown): reply is ServerReply {
  if (!isObject<ServerReply>(reply)) return false;
  const { delivered, filtered, failed, isOpen, answer } = reply;
  const areCounts = [delivered, filtered, failed].every(isCount);
  return areCounts && (isOpen === undefined || isOpen === true) && isAnswerOrAbsent(answer);
}

export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isAnswerOrAbsent(answer: unknown): answer is AskAnswer | undefined {
  if (answer === undefined) return true;
  if (!isObject<{ ok: boolean; data: string; error: object }>(answer)) return false;
  const { ok, data, error } = answer;
  if (ok === true) return data === undefined || typeof data === 'string';
  return ok === false && isAnswerError(error);
}

function isAnswerError(error: unknown): boolean {
  if (!isObject<{ code: string; message: string }>(error)) return false;
  return typeof error.code === 'string' && typeof error.message === 'string';
}

function isObject<T>(value: unknown): value is Fields<T> {
  return typeof value === 'object' && value !== null;
}
