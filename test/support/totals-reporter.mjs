// Jest reporter: the default report, then the one line that CI and people read: "N passed, N failed, N skipped".
// A suite that failed to load counts as one failure, so that nothing broken can look green; tests that passed on a second try only
// (second-try.ts) are named before it.
import { DefaultReporter } from '@jest/reporters';

export default class TotalsReporter extends DefaultReporter {
  onRunComplete(contexts, results) {
    super.onRunComplete(contexts, results);
    for (const { fullName, invocations, status } of results.testResults.flatMap((file) => file.testResults)) {
      if (status === 'passed' && invocations > 1) {
        process.stdout.write(`passed on the second try only: ${fullName}\n`);
      }
    }
    const skipped = results.numPendingTests + results.numTodoTests;
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    process.stdout.write(`${results.numPassedTests} passed, ${failed} failed, ${skipped} skipped\n`);
  }
}
