import { on } from 'node:events';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { run, start } from './processes.mjs';
import { quickStart } from './readme.mjs';

const FIRST_EVENT_TIMEOUT_MS = 10_000;
const ENTRY_POINTS = ['nestjs-loopws', 'nestjs-loopws/client', 'nestjs-loopws/testing'];
/** Node 20 has the WebSocket that the client needs only behind a flag. */
const WITH_WEB_SOCKET = globalThis.WebSocket === undefined ? ['--experimental-websocket'] : [];

/** Makes the application of a reader who follows the quick start: installs the tarball, compiles the README's code. */
export async function install(root, work, name, tarball) {
  const folder = join(work, name);
  const smoke = join(root, 'test/smoke');
  cpSync(join(smoke, name), folder, { recursive: true });
  cpSync(join(smoke, 'app'), join(folder, 'src'), { recursive: true });
  writeFileSync(join(folder, 'src/app.module.ts'), quickStart(root, 'app'));
  writeFileSync(join(folder, 'src/client.ts'), quickStart(root, 'client'));
  await run(folder, 'npm', 'install', '--prefer-offline', '--no-audit', '--no-fund', tarball.file);
  await run(folder, 'npx', '--no-install', 'tsc');
  return folder;
}

/** Starts the application and waits for the first event: on a plain WebSocket, then in the README's client. */
export async function checkQuickStart(folder) {
  const application = start(folder, 'dist/main.js');
  try {
    const port = Number(/^listening on (\d+)$/.exec(await application.firstLine())?.[1]);
    await checkFirstEvent(port);
    await checkClient(folder, port);
  } finally {
    await application.stop();
  }
}

export async function checkEntryPoints(folder) {
  const names = JSON.stringify(ENTRY_POINTS);
  const importing = `for (const name of ${names}) await import(name);`;
  const requiring = `for (const name of ${names}) require(name);`;
  await run(folder, process.execPath, '--input-type=module', '--eval', importing);
  await run(folder, process.execPath, '--input-type=commonjs', '--eval', requiring);
}

/** The condition chooses between codes with facts and sentences; both have the same classes. */
export async function checkClientErrors(folder) {
  const provoking = `
    import { connect, LoopClientError } from 'nestjs-loopws/client';
    try { connect('ftp://app.example', { WebSocket: class {} }); }
    catch (error) { console.log(error instanceof LoopClientError, error.message); }`;
  const printed = async (...conditions) =>
    (
      await run(folder, process.execPath, ...conditions, '--input-type=module', '--eval', provoking)
    ).trim();
  const short = await printed('--conditions=production');
  if (short !== 'true bad_option url ftp://app.example') {
    throw new Error(`In production the client said: ${short}`);
  }
  const long = await printed();
  if (!long.startsWith('true "ftp://app.example" is not the address')) {
    throw new Error(`In development the client said: ${long}`);
  }
}

async function checkFirstEvent(port) {
  const socket = new WebSocket(`ws://localhost:${port}/ws`, {
    headers: { authorization: 'Bearer acme' },
  });
  const signal = AbortSignal.timeout(FIRST_EVENT_TIMEOUT_MS);
  const frames = [];
  try {
    for await (const [message] of on(socket, 'message', { signal })) {
      frames.push(message.toString());
      const frame = JSON.parse(frames.at(-1));
      if (frame.op === 'welcome') await payInvoice(port);
      if (frame.event === 'billing:invoice.paid' && frame.data.id === '42') return;
    }
  } catch (error) {
    const heard = frames.length === 0 ? 'nothing' : frames.join(', ');
    throw new Error(`The event did not arrive (${error.message}). The socket heard ${heard}.`, {
      cause: error,
    });
  } finally {
    socket.terminate();
  }
}

/** The client says nothing when it is connected, so the invoice is paid until it hears of it. */
async function checkClient(folder, port) {
  const compiled = join(folder, 'dist/client.js');
  const code = readFileSync(compiled, 'utf8');
  writeFileSync(compiled, code.replaceAll('localhost:3000', `localhost:${port}`));
  const client = start(folder, ...WITH_WEB_SOCKET, '--no-warnings', 'dist/client.js');
  const paying = setInterval(() => void payInvoice(port).catch(() => {}), 250);
  try {
    const line = await client.firstLine();
    if (!line.includes('42')) throw new Error(`The README's client printed "${line}".`);
  } finally {
    clearInterval(paying);
    await client.stop();
  }
}

async function payInvoice(port) {
  const response = await fetch(`http://localhost:${port}/invoices/42/pay`, { method: 'POST' });
  if (!response.ok) throw new Error(`POST /invoices/42/pay answered ${response.status}.`);
}
