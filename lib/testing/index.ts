export { MemoryCluster } from './memory-cluster.js';
export { RecordingEventBus, type RecordedPush } from './recording-event-bus.js';
export {
  fakeConnection,
  type FakeConnection,
  type FakeConnectionOptions,
  type SentEvent,
} from './fake-connection.js';
export { LoopTestClient, type LoopTestClientOptions, type TestClose } from './loop-test-client.js';
export type { ServerFrame, WelcomeFrame } from '../protocol/frames.js';
