import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const READY = /^Notifications sample: (http:\S+)$/;

/** The sample application in a process of its own. */
export class SampleServer {
  url = '';
  private child: ChildProcess | undefined;

  /** Starts on a free port the first time, and on the same one again after a stop. */
  async start(): Promise<void> {
    const port = this.url === '' ? '0' : new URL(this.url).port;
    const child = spawn(process.execPath, ['sample/notifications/dist/main.js'], {
      env: { ...process.env, PORT: port },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.child = child;
    for await (const line of createInterface({ input: child.stdout })) {
      this.url = READY.exec(line)?.[1] ?? '';
      if (this.url !== '') return;
    }
    throw new Error('The sample ended before it said where it listens.');
  }

  /** Lets it leave as a supervisor would, and resolves when it is gone. */
  async stop(): Promise<void> {
    const child = this.child;
    this.child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    await exited;
  }
}
