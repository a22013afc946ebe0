/**
 * Smoke test of what users get: packs the library and uses the tarball in fresh applications, with the quick start of
 * README.md as their code. One line of verdict each.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkClientErrors, checkEntryPoints, checkQuickStart, install } from './application.mjs';
import { checkClientStandsAlone, checkContents, checkLazyPackages, pack } from './tarball.mjs';

const root = join(import.meta.dirname, '../..');
const work = mkdtempSync(join(tmpdir(), 'loopws-smoke-'));
process.once('exit', () => rmSync(work, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

async function verdict(what, check) {
  const started = Date.now();
  try {
    const result = await check();
    console.log(`ok    ${what} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
    return result;
  } catch (error) {
    console.log(`FAIL  ${what}: ${error.message}`);
    process.exitCode = 1;
    return undefined;
  }
}

async function checkApplication(name, title, tarball) {
  const folder = await verdict(`${title}: installs and compiles`, () =>
    install(root, work, name, tarball),
  );
  if (folder === undefined) return;
  await verdict(`${title}: first event`, () => checkQuickStart(folder));
  await verdict(`${title}: import() and require() of . ./client ./testing`, () =>
    checkEntryPoints(folder),
  );
  await verdict(`${title}: errors of the client, short and in sentences`, () =>
    checkClientErrors(folder),
  );
}

const tarball = await verdict('the library builds and packs', () => pack(root, work));
if (tarball !== undefined) {
  await verdict('the tarball holds what users need and nothing else', () => checkContents(tarball));
  await verdict('./client needs no package', () => checkClientStandsAlone(tarball));
  await verdict('. and ./testing load neither ioredis nor ws by themselves', () =>
    checkLazyPackages(tarball),
  );
  await checkApplication('nest-12-esm', 'Nest 12, ESM, module nodenext', tarball);
  await checkApplication('nest-11-cjs', 'Nest 11, CommonJS, TypeScript 5.9, node10', tarball);
}
