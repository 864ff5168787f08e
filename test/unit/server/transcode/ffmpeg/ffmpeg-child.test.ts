import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { locateFfmpeg } from '../../../../../server/transcode/ffmpeg/ffmpeg-binary.ts';
import { FfmpegChild } from '../../../../../server/transcode/ffmpeg/ffmpeg-child.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tessera-ffmpeg-child-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** A program that answers fluent-ffmpeg's questions and then behaves as `body` says. */
function program(name: string, body: string): string {
  const path = join(folder, name);
  const script = `#!/bin/sh
case "$*" in
  -formats) echo ' DE nut             NUT'; exit 0 ;;
  -encoders) echo ' V..... rawvideo             raw video'; exit 0 ;;
esac
${body}
`;
  writeFileSync(path, script);
  chmodSync(path, 0o755);
  return path;
}

function run(binary: string, use: (child: FfmpegChild) => void = () => undefined): Promise<string | null> {
  return new Promise((resolve) => {
    const child = new FfmpegChild({
      binary,
      input: 'pipe',
      inputOptions: ['-f', 'nut'],
      outputOptions: ['-f', 'nut'],
      maxQueuedBytes: 1000,
      onOutput: () => undefined,
      onEnd: resolve,
    });
    use(child);
  });
}

describe('a program that cannot be started', () => {
  test('ends the child with a sentence instead of taking the process down', async () => {
    const path = join(folder, 'no-program');
    writeFileSync(path, 'this is not a program');
    chmodSync(path, 0o644);
    await expect(run(path)).resolves.toMatch(/EACCES/);
  });

  test('does so too when it is gone after the capabilities were asked', async () => {
    const path = program('vanishing', 'exit 0');
    await expect(run(path)).resolves.toBeNull();
    rmSync(path);
    await expect(run(path)).resolves.toMatch(/ENOENT/);
  });
});

test('tells what the program said when it fails', async () => {
  await expect(run(program('failing', 'echo "[nut @ 0x1] the input is odd" >&2; exit 3'))).resolves.toMatch(
    /exited with code 3.*the input is odd/s,
  );
});

test('is ended by close, and that is no failure', async () => {
  await expect(
    run(program('sleeping', 'exec sleep 60'), (child) => {
      child.close();
    }),
  ).resolves.toBeNull();
});

test('refuses input beyond its bound instead of queueing it', async () => {
  let accepted = 0;
  await run(program('deaf', 'exec sleep 60'), (child) => {
    for (let i = 0; i < 10; i++) {
      accepted += child.write([new Uint8Array(600)]) ? 1 : 0;
    }
    child.close();
  });
  expect(accepted).toBe(2);
});

describe('locateFfmpeg', () => {
  test('finds an executable file on the given path and nothing else', () => {
    const here = join(folder, 'bin');
    mkdirSync(join(here, 'not-a-file', 'ffmpeg'), { recursive: true });
    writeFileSync(join(here, 'ffmpeg'), '#!/bin/sh\n');
    chmodSync(join(here, 'ffmpeg'), 0o644);
    expect(locateFfmpeg(here)).toBeNull();
    expect(locateFfmpeg(join(here, 'not-a-file'))).toBeNull();
    chmodSync(join(here, 'ffmpeg'), 0o755);
    expect(locateFfmpeg(`/nowhere${delimiter}${here}`)).toBe(join(here, 'ffmpeg'));
    expect(locateFfmpeg('')).toBeNull();
  });
});
