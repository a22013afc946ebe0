import type { Topic } from './topic.js';

/** A map keyed by topic. Has one map per kind, so that no combined key has to be built and stored for each topic. */
export class TopicMap<Value> {
  private readonly byKind = {
    account: new Map<string, Value>(),
    room: new Map<string, Value>(),
    service: new Map<string, Value>(),
  };

  has({ kind, name }: Topic): boolean {
    return this.byKind[kind].has(name);
  }

  get({ kind, name }: Topic): Value | undefined {
    return this.byKind[kind].get(name);
  }

  set({ kind, name }: Topic, value: Value): void {
    this.byKind[kind].set(name, value);
  }

  delete({ kind, name }: Topic): boolean {
    return this.byKind[kind].delete(name);
  }
}
