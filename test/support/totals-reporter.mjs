// Jest reporter: the default report, then the one line that CI and people read: "N passed, N failed, N skipped".
// A suite that failed to load counts as one failure, so that nothing broken can look green.
import { DefaultReporter } from '@jest/reporters';

export default class TotalsReporter extends DefaultReporter {
  onRunComplete(contexts, results) {
    super.onRunComplete(contexts, results);
    const skipped = results.numPendingTests + results.numTodoTests;
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    process.stdout.write(`${results.numPassedTests} passed, ${failed} failed, ${skipped} skipped\n`);
  }
}
