/** Listeners by topic, where a listener that fails cannot affect another. */
export interface Emitter<Topics extends { readonly [topic: string]: unknown[] }> {
  /** Returns a function that removes the listener. */
  on<T extends keyof Topics & string>(
    topic: T,
    listener: (...args: Topics[T]) => unknown,
  ): () => void;
  /** Returns whether the topic has a listener. */
  emit<T extends keyof Topics & string>(topic: T, ...args: Topics[T]): boolean;
  /** The listeners by topic; a topic without one is absent. */
  readonly listeners: ReadonlyMap<string, unknown>;
}

type Listener = (...args: unknown[]) => unknown;

/**
 * `failed` receives what a listener throws or later rejects with; `changed` receives a topic that got its first
 * listener or lost its last.
 */
export function createEmitter<Topics extends { readonly [topic: string]: unknown[] }>(
  failed: (thrown: unknown, topic: string) => void,
  changed: (topic: string) => void = () => {},
): Emitter<Topics> {
  const byTopic = new Map<string, Set<Listener>>();
  const queue: [topic: string, args: unknown[]][] = [];

  async function call(topic: string, args: unknown[], listener: Listener): Promise<void> {
    try {
      await listener(...args);
    } catch (thrown) {
      failed(thrown, topic);
    }
  }

  return {
    listeners: byTopic,
    on(topic, listener) {
      const listeners = byTopic.get(topic) ?? new Set();
      // A function that is added twice is called twice, and must be removed twice.
      const own: Listener = (...args) => (listener as Listener)(...args);
      listeners.add(own);
      if (!byTopic.has(topic)) {
        byTopic.set(topic, listeners);
        changed(topic);
      }
      return () => {
        if (!listeners.delete(own) || listeners.size > 0) return;
        byTopic.delete(topic);
        changed(topic);
      };
    },
    /**
     * Emits one call after another: what a listener causes is emitted after all listeners have heard of what came
     * before.
     */
    emit(topic, ...args) {
      const isHeard = byTopic.has(topic);
      if (queue.push([topic, args]) > 1) return isHeard;
      for (const [told, what] of queue) {
        const listeners = byTopic.get(told) ?? new Set();
        for (const listener of [...listeners]) {
          // An earlier listener may have removed this one, which must then not be called any more.
          if (listeners.has(listener)) void call(told, what, listener);
        }
      }
      queue.length = 0;
      return isHeard;
    },
  };
}
