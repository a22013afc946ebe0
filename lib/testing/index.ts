export { MemoryCluster } from './memory-cluster.js';
export { RecordingEventBus, type RecordedPush } from './recording-event-bus.js';
export { LoopTestClient, type LoopTestClientOptions, type TestClose } from './loop-test-client.js';
