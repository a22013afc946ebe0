import { mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { run } from './processes.mjs';

const SHIPPED = ['dist', 'docs', 'README.md', 'LICENSE', 'CHANGELOG.md', 'package.json'];
const LAZY_PACKAGES = ['ioredis', 'ws', 'jest', '@jest/globals'];
const IMPORT = /^(?:import\s*|(?:import|export)\b[^'";]*?\bfrom\s*)['"]([^'"]+)['"]/gm;

/** What `npm publish` would upload, as a file and unpacked where no node_modules is in reach. */
export async function pack(root, work) {
  await run(root, 'npm', 'run', '--silent', 'build');
  const report = await run(
    root,
    'npm',
    'pack',
    '--json',
    '--ignore-scripts',
    '--pack-destination',
    work,
  );
  const [{ filename, files }] = JSON.parse(report);
  const unpacked = join(work, 'unpacked');
  mkdirSync(unpacked);
  await run(unpacked, 'tar', '-xzf', join(work, filename));
  return {
    file: join(work, filename),
    paths: files.map(({ path }) => path),
    folder: join(unpacked, 'package'),
  };
}

export function checkContents({ paths }) {
  const stray = paths.filter((path) => !SHIPPED.includes(path.split('/')[0]));
  if (stray.length > 0) throw new Error(`The tarball should not contain ${stray.join(', ')}.`);
  const absent = SHIPPED.filter((name) => !paths.some((path) => path.split('/')[0] === name));
  if (absent.length > 0) throw new Error(`The tarball lacks ${absent.join(', ')}.`);
}

/** No node_modules is in reach of the unpacked tarball, so whatever is imported from there throws. */
export async function checkClientStandsAlone({ folder }) {
  const { connect } = await import(pathToFileURL(join(folder, 'dist/client/index.js')).href);
  if (typeof connect !== 'function') throw new Error('./client does not export connect().');
}

/** Follows the static imports of the entry points through our files and collects the packages at their ends. */
export function checkLazyPackages({ folder }) {
  for (const entry of ['index.js', 'testing/index.js']) {
    const packages = packagesImportedBy(join(folder, 'dist', entry), new Set());
    for (const lazy of LAZY_PACKAGES) {
      if (packages.has(lazy)) throw new Error(`dist/${entry} loads ${lazy} by itself.`);
    }
  }
}

function packagesImportedBy(file, seen) {
  if (seen.has(file)) return new Set();
  seen.add(file);
  const specifiers = [...readFileSync(file, 'utf8').matchAll(IMPORT)].map((match) => match[1]);
  const [ours, theirs] = [true, false].map((relative) =>
    specifiers.filter((specifier) => specifier.startsWith('.') === relative),
  );
  const deeper = ours.map((path) => packagesImportedBy(join(dirname(file), path), seen));
  return new Set([...theirs, ...deeper.flatMap((packages) => [...packages])]);
}
