import { LoopWsError } from '../loop-ws.errors.js';

/** The part of the standard WebSocket interface that the test client uses; the `ws` package has it as well. */
export interface TestSocket {
  readonly readyState: number;
  send(text: string): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(
    type: 'close',
    listener: (event: { readonly code: number; readonly reason: string }) => void,
  ): void;
  addEventListener(type: 'error', listener: () => void): void;
}

type TestSocketConstructor = new (url: string, protocols: readonly string[]) => TestSocket;

/** The platform's WebSocket, or that of `ws` where there is none: Node 20. */
export async function webSocketConstructor(): Promise<TestSocketConstructor> {
  const { WebSocket } = globalThis as { WebSocket?: TestSocketConstructor };
  if (WebSocket !== undefined) return WebSocket;
  try {
    const { WebSocket: fromPackage } = await import('ws');
    return fromPackage as unknown as TestSocketConstructor;
  } catch (cause) {
    throw new LoopWsError(
      'This Node has no WebSocket: install "ws" as a dev dependency, or use Node 22.',
      {
        cause,
      },
    );
  }
}
