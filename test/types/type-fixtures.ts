import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import ts from 'typescript';

/** What the compiler says, or should say, about one line of a fixture. */
interface Finding {
  readonly line: number;
  readonly code: string;
  readonly message: string;
}

export interface FixtureResult {
  readonly file: string;
  /** Errors that no `expect-error` comment announces. */
  readonly unexpected: readonly string[];
  /** Announced errors that the compiler did not report. */
  readonly missing: readonly string[];
}

const root = join(import.meta.dirname, '../..');
const sourceFiles = new Map<string, ts.SourceFile | undefined>();

/**
 * Compiles the files of a folder as one program against the sources of the library, and holds the errors against the
 * comments `// expect-error TS2345: part of the message`, each about the next line that is not such a comment.
 */
export function checkFixtures(folder: string): FixtureResult[] {
  const files = readdirSync(folder)
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name));
  const options = compilerOptions();
  const program = ts.createProgram(files, options, cachingHost(options));
  return files.map((file) => compare(file, errorsOf(program, file), expectationsOf(file)));
}

function compilerOptions(): ts.CompilerOptions {
  const config = ts.readConfigFile(join(root, 'tsconfig.json'), (path) => ts.sys.readFile(path));
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, root);
  return {
    ...options,
    noUnusedLocals: false,
    noUnusedParameters: false,
    paths: {
      'nestjs-loopws': [join(root, 'lib/index.ts')],
      'nestjs-loopws/client': [join(root, 'lib/client/index.ts')],
    },
  };
}

/** Most of a program is declarations of TypeScript, Node and Nest: parsed once for all folders. */
function cachingHost(options: ts.CompilerOptions): ts.CompilerHost {
  const host = ts.createCompilerHost(options);
  const read = host.getSourceFile.bind(host);
  host.getSourceFile = (name, ...rest) => {
    if (!sourceFiles.has(name)) sourceFiles.set(name, read(name, ...rest));
    return sourceFiles.get(name);
  };
  return host;
}

function errorsOf(program: ts.Program, file: string): Finding[] {
  const source = program.getSourceFile(file);
  if (source === undefined) throw new Error(`${file} is not part of the program.`);
  return [
    ...program.getSyntacticDiagnostics(source),
    ...program.getSemanticDiagnostics(source),
  ].map((diagnostic) => ({
    line: source.getLineAndCharacterOfPosition(diagnostic.start ?? 0).line + 1,
    code: `TS${diagnostic.code}`,
    message: ts.flattenDiagnosticMessageText(diagnostic.messageText, ' '),
  }));
}

function expectationsOf(file: string): Finding[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  const expectations = lines.map((line) => /^\s*\/\/ expect-error (TS\d+): (.+)$/.exec(line));
  return expectations.flatMap((match, index) => {
    if (match === null) return [];
    const after = expectations.findIndex((other, at) => at > index && other === null);
    return [{ line: after + 1, code: match[1] ?? '', message: match[2] ?? '' }];
  });
}

function compare(file: string, errors: Finding[], expectations: Finding[]): FixtureResult {
  const announced = (error: Finding) => expectations.some((expected) => agrees(error, expected));
  const reported = (expected: Finding) => errors.some((error) => agrees(error, expected));
  return {
    file: basename(file),
    unexpected: errors.filter((error) => !announced(error)).map(describeFinding),
    missing: expectations.filter((expected) => !reported(expected)).map(describeFinding),
  };
}

function agrees(error: Finding, expected: Finding): boolean {
  return (
    error.line === expected.line &&
    error.code === expected.code &&
    error.message.includes(expected.message)
  );
}

function describeFinding({ line, code, message }: Finding): string {
  return `line ${line}: ${code}: ${message}`;
}
