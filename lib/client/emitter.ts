/** Listeners by topic, none of which can break another. */
export interface Emitter<Topics extends { readonly [topic: string]: unknown[] }> {
  /** Returns the listener's own end. */
  on<T extends keyof Topics & string>(
    topic: T,
    listener: (...args: Topics[T]) => unknown,
  ): () => void;
  /** Whether somebody listens. */
  emit<T extends keyof Topics & string>(topic: T, ...args: Topics[T]): boolean;
  /** By topic; those without a listener are not in it. */
  readonly listeners: ReadonlyMap<string, unknown>;
}

type Listener = (...args: unknown[]) => unknown;

/** `failed` is told what a listener throws, or rejects with later; `changed` which topic got its first, or lost its last. */
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
      // One function added twice is called and removed twice.
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
    /** One call after the other: what a listener causes is told when all have heard of what came before it. */
    emit(topic, ...args) {
      const isHeard = byTopic.has(topic);
      if (queue.push([topic, args]) > 1) return isHeard;
      for (const [told, what] of queue) {
        const listeners = byTopic.get(told) ?? new Set();
        for (const listener of [...listeners]) {
          // An earlier listener may have removed this one: it must not be called any more.
          if (listeners.has(listener)) void call(told, what, listener);
        }
      }
      queue.length = 0;
      return isHeard;
    },
  };
}
