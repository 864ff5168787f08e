// What is in a topic as kcat reads it: an independent client, so that nothing of ours stands between the broker and the test.

import { execFile } from 'node:child_process';

/** A record whose value is JSON. */
export type KcatRecord = { readonly key: string; readonly value: Readonly<Record<string, unknown>> };

/** Every record of a topic, oldest first per partition. `flags`: more of kcat's own, such as `-X security.protocol=SSL`. */
export function consumeAll(bootstrap: string, topic: string, flags: readonly string[] = []): Promise<KcatRecord[]> {
  const args = ['-C', '-b', bootstrap, '-t', topic, '-o', 'beginning', '-e', '-q', '-f', '%k\t%S\t%s\n', ...flags];
  return new Promise((resolve, reject) => {
    execFile('kcat', args, { maxBuffer: 1 << 28, timeout: 60_000 }, (error, stdout, stderr) => {
      if (error !== null) {
        reject(new Error(`kcat could not read ${topic}: ${stderr.trim() || error.message}`));
        return;
      }
      try {
        resolve(stdout.split('\n').flatMap((line) => (line === '' ? [] : [recordOf(line)])));
      } catch (problem) {
        reject(problem);
      }
    });
  });
}

/** Key, length of the value in bytes, value. */
function recordOf(line: string): KcatRecord {
  const [, key = '', length = '', text = ''] = /^([^\t]*)\t(-?\d+)\t(.*)$/s.exec(line) ?? [];
  if (Number(length) !== Buffer.byteLength(text)) {
    throw new Error(`kcat gave ${Buffer.byteLength(text)} of ${length} bytes of a value: ${line}`);
  }
  return { key, value: JSON.parse(text) as KcatRecord['value'] };
}
