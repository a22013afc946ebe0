import type { DynamicModule, INestApplicationContext, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { LoopWsModule, type LoopWsWorkerOptions } from '../../lib/index.js';

const running = new Set<INestApplicationContext>();

export async function startContext(module: DynamicModule | Type): Promise<INestApplicationContext> {
  const worker = await NestFactory.createApplicationContext(module, {
    logger: false,
    abortOnError: false,
  });
  running.add(worker);
  return worker;
}

/** A process that only pushes, as far as its module goes: it shares the one of the test. */
export function startWorker(
  options: Partial<LoopWsWorkerOptions> = {},
): Promise<INestApplicationContext> {
  return startContext(
    LoopWsModule.forRoot({ gateway: false, services: ['billing', 'chat'], ...options }),
  );
}

/** Closes whatever a test left running. Call it in `afterEach`. */
export async function closeWorkers(): Promise<void> {
  await Promise.all([...running].map((worker) => worker.close()));
  running.clear();
}
