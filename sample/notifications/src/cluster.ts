import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { provideRedis } from './cluster/redis.js';

const COUNT = 3;
const END_WITH_PARENT = new URL('./cluster/end-with-parent.js', import.meta.url).href;
const MAIN = fileURLToPath(new URL('./main.js', import.meta.url));

/** Three servers that are one bus. Kill one of them and watch the page: nothing restarts it. */
async function start(): Promise<void> {
  const redis = await provideRedis();
  const first = Number(process.env.PORT ?? 3000);
  const urls = Array.from({ length: COUNT }, (_, at) => `http://localhost:${first + at}`);
  console.log(`Redis: ${redis.url}`);
  const servers = urls.map((url, at) =>
    startServer(`server-${at + 1}`, {
      REDIS_URL: redis.url,
      SERVERS: urls.join(','),
      PORT: new URL(url).port,
    }),
  );
  const stop = (): void => servers.forEach((server) => server.kill('SIGTERM'));
  process.on('SIGINT', stop).on('SIGTERM', stop);
  process.once('exit', () => servers.forEach((server) => server.kill('SIGKILL')));
  await Promise.all(servers.map(ended));
  redis.stop();
}

function startServer(name: string, settings: Record<string, string>): ChildProcess {
  const child = spawn(process.execPath, ['--import', END_WITH_PARENT, MAIN], {
    env: { ...process.env, ...settings, SERVER_ID: name },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    detached: true, // a Ctrl-C in the terminal is passed on, once
  });
  for (const output of [child.stdout!, child.stderr!]) {
    createInterface({ input: output }).on('line', (line) => console.log(`[${name}] ${line}`));
  }
  console.log(`[${name}] process ${child.pid}; end it with: kill -9 ${child.pid}`);
  child.once('exit', (code, signal) => console.log(`[${name}] ended (${signal ?? code})`));
  return child;
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => child.once('exit', () => resolve()));
}

start().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
