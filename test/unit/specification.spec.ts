import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

const specification = readFileSync('docs/specification.md', 'utf8');
const clauses = [...specification.matchAll(/^## (P\d) [^]*?(?=^## |$(?![^]))/gm)];
const citations = clauses.flatMap(([section, clause]) =>
  [...section.matchAll(/`(test\/[^`]+)`/g)].map(([, path]) => [clause!, path!] as const),
);

describe('docs/specification.md', () => {
  it('has nine clauses, and tests of each', () => {
    const numbered = Array.from({ length: 9 }, (_, index) => `P${index + 1}`);
    expect(clauses.map(([, clause]) => clause)).toEqual(numbered);
    expect([...new Set(citations.map(([clause]) => clause))]).toEqual(numbered);
  });

  it.each(citations)('%s is the beginning of the name of a test in %s', (clause, path) => {
    const names = sourcesIn(path).flatMap(namesOf);
    expect(names.filter((name) => clausesOf(name).includes(clause))).not.toEqual([]);
  });
});

/** A file, or every test in a folder. */
function sourcesIn(path: string): string[] {
  if (!statSync(path).isDirectory()) return [readFileSync(path, 'utf8')];
  const names = readdirSync(path).filter((name) => name.endsWith('.spec.ts'));
  return names.map((name) => readFileSync(join(path, name), 'utf8'));
}

/** Of tests, and of groups of them. */
function namesOf(source: string): string[] {
  const name = /(?:\b(?:it|describe)|\]|\))\(\s*(['"`])(.*?)\1,/g;
  return [...source.matchAll(name)].map(([, , text]) => text!);
}

/** As in `P1, P4: …`. */
function clausesOf(name: string): string[] {
  const [beginning] = /^P\d(?:, P\d)*(?=:)/.exec(name) ?? [''];
  return beginning.split(', ');
}
