// Prints how many tests a step passed and failed: `count.mjs <1 when it succeeded> <jest's report, if it wrote one>`.
import { existsSync, readFileSync } from 'node:fs';

const [succeeded, reportFile] = [process.argv[2] === '1', process.argv[3]];

function count() {
  if (!existsSync(reportFile)) return succeeded ? [1, 0] : [0, 1];
  const report = JSON.parse(readFileSync(reportFile, 'utf8'));
  // A suite that cannot even be loaded has no tests, and jest can fail without a failed test: a threshold, a crash.
  const failures = report.numFailedTests + report.numRuntimeErrorTestSuites;
  return [report.numPassedTests, succeeded ? failures : Math.max(failures, 1)];
}

console.log(count().join(' '));
