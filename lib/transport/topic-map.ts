import type { Topic } from './topic.js';

/** Values by topic. Kept apart by the kind of topic, so that no text has to be made for each and kept as its key. */
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
