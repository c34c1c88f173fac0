// Adds up the JSON reports of vitest in a folder and prints `N passed, N failed, N skipped` as the last line.
//
//   node scripts/sum-reports.mjs <folder> <failed steps>
//
// Exits with 1 when a test or a step failed, when a test was skipped, or when nothing ran.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

const [folder, failedSteps] = process.argv.slice(2);
let [passed, failed, skipped] = [0, 0, 0];

for (const file of readdirSync(folder).sort()) {
  const report = JSON.parse(readFileSync(join(folder, file), "utf8"));
  passed += report.numPassedTests;
  // A file that could not even be loaded has no tests to fail.
  const unloaded = report.testResults.filter(
    ({ status, assertionResults }) => status === "failed" && assertionResults.length === 0,
  ).length;
  failed += report.numFailedTests + unloaded;
  skipped += report.numPendingTests + report.numTodoTests;
  for (const { name, assertionResults } of report.testResults) {
    for (const { fullName, status } of assertionResults) {
      if (status !== "passed") console.log(`${status}: ${name}: ${fullName}`);
    }
  }
}

// A step without tests of its own that failed, such as lint, counts as one failure.
if (failed === 0) failed = Number(failedSteps);
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed > 0 || skipped > 0 || passed === 0 ? 1 : 0;
