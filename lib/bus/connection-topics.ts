import type { LoopConnection } from '../connections/loop-connection.js';
import type { DurableTopics } from '../history/durable-topics.js';
import { parsePattern } from '../protocol/pattern.js';
import { accountTopic, type Topic } from '../transport/topic.js';

/** The topics from which the connection gets durable events. */
export function durableTopicsOf(connection: LoopConnection, durable: DurableTopics): Topic[] {
  const { roomNames } = connection;
  const topics: Topic[] = [
    accountTopic(connection),
    ...[...roomNames].map((name) => ({ kind: 'room' as const, name })),
    ...durable.services
      .filter((service) => isInterestedIn(connection, service))
      .map((name) => ({ kind: 'service' as const, name })),
  ];
  return topics.filter((topic) => durable.isDurable(topic));
}

export function isInterestedIn({ patterns }: LoopConnection, service: string): boolean {
  return [...patterns].some((text) => [service, undefined].includes(parsePattern(text)?.service));
}
