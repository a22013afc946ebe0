/*
 * npm run bench -- [--axis fan-out] [--quick] [--rounds 5]
 *
 * Measures LoopWs beside its peers. Everything, without `--quick`, is written to docs/benchmarks.md.
 */
import { parseArgs } from 'node:util';
import { endRedisServers } from '../test/support/redis-server.js';
import type { Axis } from './axes/axis.js';
import type { Section } from './report/figures.js';
import { factsText, tablesText, verdictText, writePage } from './report/page.js';
import { factsOfThisRun } from './report/run-facts.js';
import { endRemotes } from './support/remote.js';

/** In the order of the page. */
const AXES: Readonly<Record<string, () => Promise<Axis>>> = {
  'fan-out': () => import('./axes/fan-out.js'),
  account: () => import('./axes/account.js'),
  memory: () => import('./axes/memory.js'),
  inbound: () => import('./axes/inbound.js'),
  relay: () => import('./axes/relay.js'),
  'relay-channel': () => import('./axes/relay-channel.js'),
  latency: () => import('./axes/latency.js'),
  'loop-delay': () => import('./axes/loop-delay.js'),
  connecting: () => import('./axes/connecting.js'),
  matching: () => import('./axes/matching.js'),
};

/** What shows in two minutes whether something was lost. */
const QUICK_AXES = ['fan-out', 'memory', 'inbound', 'relay', 'matching'];

const { values } = parseArgs({
  options: {
    axis: { type: 'string', multiple: true },
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
  },
});
const names = values.axis ?? (values.quick ? QUICK_AXES : Object.keys(AXES));
const unknown = names.filter((name) => !Object.hasOwn(AXES, name));
if (unknown.length > 0) {
  console.error(`There is no axis "${unknown[0]}"; there are ${Object.keys(AXES).join(', ')}.`);
  process.exit(2);
}
const rounds = Number(values.rounds ?? (values.quick ? 2 : 5));
if (!Number.isInteger(rounds) || rounds < 1) {
  console.error(`--rounds is ${values.rounds}; write a whole number from 1 up.`);
  process.exit(2);
}
const scale = { quick: values.quick, rounds };
const given = process.argv.slice(2);
const facts = await factsOfThisRun(
  ['npm run bench', ...(given.length > 0 ? ['--', ...given] : [])].join(' '),
);
console.log(factsText(facts));
const sections: Section[] = [];
try {
  for (const name of names) {
    const axis = await AXES[name]!();
    const section = await axis.run(scale);
    console.log(tablesText(section));
    sections.push(section);
  }
  console.log(verdictText(sections));
  if (!scale.quick && values.axis === undefined) await writePage(facts, sections);
} finally {
  await endRemotes();
  endRedisServers();
}
process.exit();
