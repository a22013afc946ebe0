/** The unit of routing and order between servers. */
export type Topic =
  | { readonly kind: 'account'; readonly name: string }
  | { readonly kind: 'room'; readonly name: string }
  | { readonly kind: 'service'; readonly name: string };

/** One text per topic, different for different topics whatever their names contain. */
export function topicKey(topic: Topic): string {
  return `${topic.kind}:${topic.name}`;
}

/** What carries all that is for this account alone. */
export function accountTopic({ accountId }: { readonly accountId: string }): Topic {
  return { kind: 'account', name: accountId };
}
