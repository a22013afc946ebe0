export { MemoryCluster } from './memory-cluster.js';
export { RecordingEventBus, type RecordedPush } from './recording-event-bus.js';
export {
  fakeConnection,
  type FakeConnection,
  type FakeConnectionOptions,
  type SentEvent,
} from './fake-connection.js';
export { LoopTestClient, type LoopTestClientOptions, type TestClose } from './loop-test-client.js';
export { checkDelivery, type CheckOptions } from './delivery/check-delivery.js';
export { RecordingClient, type RecordingClientOptions } from './delivery/recording-client.js';
export {
  type RecordedData,
  RecordingPublisher,
  type RecordingPublisherOptions,
} from './delivery/recording-publisher.js';
export type {
  ClientDiary,
  Finding,
  FindingKind,
  PublishedEvent,
  Sighting,
  Verdict,
} from './delivery/records.js';
export type { ServerFrame, WelcomeFrame } from '../protocol/frames.js';
export type { ContractCase } from './contracts/contract-case.js';
export type { ContractHarness } from './contracts/contract-harness.js';
export { presenceStoreContract } from './contracts/presence-store.contract.js';
export { transportContract, type TransportHarness } from './contracts/transport.contract.js';
export type { Interrupt } from './contracts/transport-outage.checks.js';
