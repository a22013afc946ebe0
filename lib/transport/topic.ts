/** The unit of routing and order between servers. */
export type Topic =
  | { readonly kind: 'account'; readonly name: string }
  | { readonly kind: 'room'; readonly name: string }
  | { readonly kind: 'service'; readonly name: string };

/** A string that is unique to the topic, whatever characters topic names contain. */
export function topicKey(topic: Topic): string {
  return `${topic.kind}:${topic.name}`;
}

/** The topic that carries everything for this account alone. */
export function accountTopic({ accountId }: { readonly accountId: string }): Topic {
  return { kind: 'account', name: accountId };
}
