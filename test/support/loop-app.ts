import type { AddressInfo } from 'node:net';
import type { INestApplication, ModuleMetadata, Type } from '@nestjs/common';
import { Test, type TestingModuleBuilder } from '@nestjs/testing';
import { EventBus, LoopWsModule, type LoopWsOptions } from '../../lib/index.js';
import { LoopTestClient, type LoopTestClientOptions } from '../../lib/testing/index.js';

/** What a client of a test waits for, on a machine that is busy too. */
const PATIENCE_MS = 5_000;

export interface LoopAppOptions extends Partial<Omit<LoopWsOptions, 'config'>> {
  readonly config?: LoopWsOptions['config'];
}

export interface LoopAppParts {
  readonly options?: LoopAppOptions;
  readonly providers?: ModuleMetadata['providers'];
  readonly controllers?: ModuleMetadata['controllers'];
  readonly imports?: ModuleMetadata['imports'];
  readonly override?: (builder: TestingModuleBuilder) => TestingModuleBuilder;
  /** Changes the application before it listens. */
  readonly prepare?: (app: INestApplication) => void;
}

/** A real application on a free port, with everything that a test wants to reach. */
export interface LoopApp {
  readonly app: INestApplication;
  readonly port: number;
  /** `ws://…/ws` */
  readonly url: string;
  readonly bus: EventBus;
  readonly get: <T>(type: Type<T> | (abstract new (...args: never[]) => T)) => T;
  readonly client: (token?: string, options?: LoopTestClientOptions) => Promise<LoopTestClient>;
  readonly close: () => Promise<void>;
}

/** Everyone is let in as the account that the token names; shutdowns do not dawdle. */
export const TEST_OPTIONS = {
  services: ['billing', 'chat', 'device'],
  defaultSubscriptions: ['*:*'],
  authenticate: ({ token }) => (token ? { accountId: token } : null),
} satisfies LoopWsOptions;

export const TEST_CONFIG = { drainMs: 0, reconnectSpreadMs: 0, presenceGraceMs: 0 };

export function loopModule(options: LoopAppOptions = {}): ReturnType<typeof LoopWsModule.forRoot> {
  return LoopWsModule.forRoot({
    ...TEST_OPTIONS,
    ...options,
    config: { ...TEST_CONFIG, ...options.config },
  });
}

const running = new Set<LoopApp>();

/** Closes whatever a test left running. Call it in `afterEach`. */
export async function closeLoopApps(): Promise<void> {
  await Promise.all([...running].map((app) => app.close()));
}

export async function startLoopApp(parts: LoopAppParts = {}): Promise<LoopApp> {
  const { providers = [], controllers = [], imports = [], override = (builder) => builder } = parts;
  const builder = Test.createTestingModule({
    imports: [loopModule(parts.options), ...imports],
    providers,
    controllers,
  });
  const module = await override(builder).compile();
  const app = module.createNestApplication();
  parts.prepare?.(app);
  await app.listen(0, '127.0.0.1');
  return track(app, parts.options?.path ?? '/ws');
}

/** For applications that a test made in its own way; they must listen already. */
export function track(app: INestApplication, path = '/ws'): LoopApp {
  const { port } = (app.getHttpServer() as { address(): AddressInfo }).address();
  const url = `ws://127.0.0.1:${port}${path}`;
  const loopApp: LoopApp = {
    app,
    port,
    url,
    bus: app.get(EventBus),
    get: (type) => app.get(type as Type),
    client: (token = 'acme', options = {}) =>
      LoopTestClient.connect(`ws://127.0.0.1:${port}`, {
        token,
        path,
        timeoutMs: PATIENCE_MS,
        ...options,
      }),
    close: async () => {
      if (running.delete(loopApp)) await app.close();
    },
  };
  running.add(loopApp);
  return loopApp;
}
