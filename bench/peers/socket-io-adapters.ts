/* The ways in which socket.io connects servers over Redis, each as its own documentation sets it up. */
import { createAdapter, createShardedAdapter } from '@socket.io/redis-adapter';
import { createAdapter as createStreamsAdapter } from '@socket.io/redis-streams-adapter';
import { Redis } from 'ioredis';
import { startOn } from './nest-socket-io.js';

export const startClassic = startOn((url) => {
  const client = new Redis(url);
  return createAdapter(client, client.duplicate());
});

export const startSharded = startOn((url) => {
  const client = new Redis(url);
  return createShardedAdapter(client, client.duplicate());
});

export const startStreams = startOn((url) => createStreamsAdapter(new Redis(url)));
