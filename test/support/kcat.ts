// What is in a topic as kcat reads it: an independent client, so that nothing of ours stands between the broker and the test.

import { execFile } from 'node:child_process';

/** A record whose value is JSON. */
export type KcatRecord = { readonly key: string; readonly value: Readonly<Record<string, unknown>> };

/**
 * Fetches wait for records so briefly, ms, that one comes back empty even while records keep coming: only an empty one tells kcat that it
 * is at the end. With its usual 500 ms it would follow a busy topic for ever.
 */
const FETCH_WAIT_MS = 10;

/**
 * Every record of a topic, oldest first per partition. Throws when kcat fails or takes over a minute. `flags`: more of kcat's own, such as
 * `-X security.protocol=SSL`.
 */
export async function consumeAll(
  bootstrap: string,
  topic: string,
  flags: readonly string[] = [],
): Promise<KcatRecord[]> {
  const args = ['-C', '-b', bootstrap, '-t', topic, '-o', 'beginning', '-e', '-q', '-f', '%k\t%S\t%s\n'];
  const settings = ['-X', `fetch.wait.max.ms=${FETCH_WAIT_MS}`, ...flags];
  // SIGKILL: kcat ends on SIGTERM as if it had read everything.
  const options = { encoding: 'buffer', maxBuffer: 1 << 28, timeout: 60_000, killSignal: 'SIGKILL' } as const;
  const output = await new Promise<Buffer>((resolve, reject) => {
    execFile('kcat', [...args, ...settings], options, (error, stdout, stderr) => {
      if (error === null) {
        resolve(stdout);
      } else {
        reject(new Error(`kcat could not read ${topic}: ${stderr.toString().trim() || error.message}`));
      }
    });
  });
  return recordsOf(output, topic);
}

/** Cuts at the lengths that kcat tells and not at line ends, so that no content of a value can mislead. */
function recordsOf(output: Buffer, topic: string): KcatRecord[] {
  const records: KcatRecord[] = [];
  for (let at = 0; at < output.length;) {
    const keyEnd = output.indexOf('\t', at);
    const lengthEnd = output.indexOf('\t', keyEnd + 1);
    const length = Math.max(0, Number(output.toString('utf8', keyEnd + 1, lengthEnd))); // -1: no value
    const text = output.toString('utf8', lengthEnd + 1, lengthEnd + 1 + length);
    if (keyEnd < 0 || lengthEnd < 0 || !Number.isInteger(length) || lengthEnd + 1 + length >= output.length) {
      throw new Error(
        `kcat broke off in record ${records.length} of ${topic}: ${output.toString('utf8', at, at + 500)}`,
      );
    }
    records.push({
      key: output.toString('utf8', at, keyEnd),
      value: length === 0 ? {} : (JSON.parse(text) as KcatRecord['value']),
    });
    at = lengthEnd + 1 + length + 1;
  }
  return records;
}
