import { Inject, Injectable } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import type { InstanceWrapper } from '@nestjs/core/injector/instance-wrapper.js';
import { LoopWsBootError } from '../loop-ws.errors.js';
import { LOOP_WS_SETTINGS, type LoopWsSettings } from '../loop-ws.settings.js';
import { parseEventName } from '../protocol/event-name.js';
import { shown } from '../util/shown.js';
import {
  describeHandler,
  type FoundHandler,
  methodOf,
  prototypeOf,
  requireCallable,
} from './found-handler.js';
import { type HandlerMetadata, handlerMetadataOf, type HookKind } from './handler-metadata.js';

/** The handlers and hooks that the application's decorators declare. */
export interface FoundHandlers {
  readonly events: ReadonlyMap<string, FoundHandler>;
  readonly hooks: ReadonlyMap<HookKind, readonly FoundHandler[]>;
}

/** Scans every provider and controller once, at boot. Throws a `LoopWsBootError` for a handler that could never run. */
@Injectable()
export class HandlerExplorer {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    @Inject(LOOP_WS_SETTINGS) private readonly settings: LoopWsSettings,
  ) {}

  explore(): FoundHandlers {
    const events = new Map<string, FoundHandler>();
    const hooks = new Map<HookKind, FoundHandler[]>();
    for (const [found, metadata] of this.decoratedMethods()) {
      if (metadata.kind === 'event') this.addEvent(events, metadata.name, found);
      else hooks.set(metadata.hook, [...(hooks.get(metadata.hook) ?? []), found]);
    }
    return { events, hooks };
  }

  private *decoratedMethods(): Generator<[FoundHandler, HandlerMetadata]> {
    for (const wrapper of this.classInstances()) {
      const prototype = prototypeOf(wrapper);
      if (prototype === undefined || wrapper.host === undefined) continue;
      for (const methodName of this.scanner.getAllMethodNames(prototype)) {
        for (const metadata of handlerMetadataOf(methodOf(prototype, methodName))) {
          const found = { wrapper, host: wrapper.host, methodName };
          requireCallable(found);
          yield [found, metadata];
        }
      }
    }
  }

  /** Skips aliases (`useExisting`): each names a provider that is listed itself. */
  private classInstances(): InstanceWrapper<object>[] {
    const wrappers = [...this.discovery.getProviders(), ...this.discovery.getControllers()];
    return wrappers.filter((wrapper) => !wrapper.isAlias) as InstanceWrapper<object>[];
  }

  private addEvent(events: Map<string, FoundHandler>, name: string, found: FoundHandler): void {
    const parsed = typeof name === 'string' ? parseEventName(name) : undefined;
    if (parsed === undefined) {
      throw new LoopWsBootError(
        `LoopWs: @OnLoopEvent(${shown(name)}) on ${describeHandler(found)} is not a full event name; ` +
          'use one such as "chat:message.send".',
      );
    }
    if (!this.settings.services.has(parsed.service)) {
      throw new LoopWsBootError(
        `LoopWs: ${describeHandler(found)} handles "${name}", but the service "${parsed.service}" is not declared. ` +
          'Add it to the option "services".',
      );
    }
    const other = events.get(name);
    if (other !== undefined) {
      throw new LoopWsBootError(
        `LoopWs: "${name}" has two handlers, ${describeHandler(other)} and ${describeHandler(found)}, but only one ` +
          'can answer. Remove one, or call one from the other.',
      );
    }
    events.set(name, found);
  }
}
