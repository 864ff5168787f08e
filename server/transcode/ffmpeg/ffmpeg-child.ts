// One ffmpeg child process behind fluent-ffmpeg and a guard of ours: the arguments are ours alone (no text of a user's), the
// protocols are limited, stdin is bounded, the end is told exactly once, and a failure to start cannot take the process down
// (fluent-ffmpeg reads the output of a child that never started). Called by ffmpeg-decoder.ts, opus-to-aac.ts, import-file.ts.

import { PassThrough, Writable } from 'node:stream';
import ffmpeg from 'fluent-ffmpeg';

export type FfmpegChildOptions = {
  /** From locateFfmpeg(). */
  readonly binary: string;
  /** `pipe`: bytes come through write(). Else the path of a file that the caller has opened for the user before. */
  readonly input: 'pipe' | { readonly file: string };
  /** Options before `-i`, one array element per argument. */
  readonly inputOptions: readonly string[];
  /** Options of the one output, which is stdout. */
  readonly outputOptions: readonly string[];
  /** Bytes that may wait for stdin; write() refuses beyond. */
  readonly maxQueuedBytes: number;
  readonly onOutput: (chunk: Uint8Array) => void;
  /** Told once: null when ffmpeg ended by itself with success or was closed by us, else one sentence. */
  readonly onEnd: (failure: string | null) => void;
};

/** Lines of ffmpeg's stderr that are kept for the sentence of a failure. */
const STDERR_LINES = 20;

type Ring = { get(): string };
type SpawnEnd = (error: Error | null, stdout?: Ring, stderr?: Ring) => void;
/** What the guard touches of fluent-ffmpeg beyond its types; test/unit/server/transcode/ffmpeg/ffmpeg-child.test.ts keeps watch. */
type GuardedCommand = ffmpeg.FfmpegCommand & {
  ffmpegProc?: { readonly pid?: number };
  _spawnFfmpeg(...args: unknown[]): void;
};

export class FfmpegChild {
  private readonly command: GuardedCommand;
  private readonly options: FfmpegChildOptions;
  private readonly stdin = new PassThrough({ highWaterMark: 1 << 20 });
  private hasEnded = false;
  private isClosing = false;

  constructor(options: FfmpegChildOptions) {
    this.options = options;
    this.command = this.build();
    this.command.run();
  }

  /** Process id while the child runs. */
  get pid(): number | undefined {
    return this.command.ffmpegProc?.pid;
  }

  /** Bytes that were written and not yet taken by the child. */
  get queuedBytes(): number {
    return this.stdin.readableLength + this.stdin.writableLength;
  }

  /** Queues bytes for stdin. False: the bound is reached or the child is gone, nothing was taken. */
  write(chunks: readonly Uint8Array[]): boolean {
    if (this.hasEnded || this.isClosing || this.queuedBytes > this.options.maxQueuedBytes) {
      return false;
    }
    for (const chunk of chunks) {
      this.stdin.write(chunk);
    }
    return true;
  }

  /** No more input: ffmpeg writes what it still holds and ends. */
  endInput(): void {
    this.stdin.end();
  }

  /** Ends the child at once; onEnd(null) follows when it is gone. */
  close(): void {
    if (this.hasEnded || this.isClosing) {
      return;
    }
    this.isClosing = true;
    this.stdin.end();
    this.killNow();
  }

  private killNow(): void {
    if (this.command.ffmpegProc !== undefined) {
      this.command.kill('SIGKILL');
    }
  }

  private build(): GuardedCommand {
    const { input, inputOptions, outputOptions, binary } = this.options;
    const source = input === 'pipe' ? this.stdin : `file:${input.file}`;
    const protocols = input === 'pipe' ? 'pipe' : 'file';
    const command = ffmpeg({ stdoutLines: STDERR_LINES }) as GuardedCommand;
    guardSpawn(command);
    command
      .setFfmpegPath(binary)
      .input(source)
      .inputOptions('-hide_banner', '-loglevel', 'error', '-protocol_whitelist', protocols, ...inputOptions)
      .outputOptions(...(outputOptions as [string, ...string[]]))
      .output(this.outputSink())
      .on('start', () => {
        if (this.isClosing) {
          this.killNow();
        }
      })
      .on('error', (error: Error, _stdout: string | null, stderr: string | null) => {
        this.end(failureSentence(error, stderr));
      })
      .on('end', () => {
        this.end(null);
      });
    return command;
  }

  /** Takes stdout chunk by chunk: while the receiver works, the child waits. */
  private outputSink(): Writable {
    return new Writable({
      write: (chunk: Uint8Array, _encoding, done) => {
        try {
          if (!this.isClosing) {
            this.options.onOutput(chunk);
          }
          done();
        } catch (error) {
          done(error instanceof Error ? error : new Error(String(error)));
        }
      },
    });
  }

  private end(failure: string | null): void {
    if (this.hasEnded) {
      return;
    }
    this.hasEnded = true;
    this.stdin.destroy();
    this.options.onEnd(this.isClosing ? null : failure);
  }
}

/** Runs ffmpeg's capability queries once, so that the first child of this thread starts without them. */
export function prewarmFfmpeg(binary: string): Promise<void> {
  return new Promise((resolve) => {
    const command = ffmpeg() as GuardedCommand;
    guardSpawn(command);
    command.setFfmpegPath(binary);
    command.getAvailableFormats(() => {
      command.getAvailableEncoders(() => {
        resolve();
      });
    });
  });
}

/** Gives the callback of fluent-ffmpeg's spawn the two line buffers that it forgets when the program cannot be started. */
function guardSpawn(command: GuardedCommand): void {
  const original = command._spawnFfmpeg.bind(command);
  const empty: Ring = { get: () => '' };
  command._spawnFfmpeg = (...args: unknown[]): void => {
    const end = args.pop() as SpawnEnd;
    let hasEnded = false;
    original(...args, (error: Error | null, stdout?: Ring, stderr?: Ring) => {
      if (!hasEnded) {
        hasEnded = true;
        end(error, stdout ?? empty, stderr ?? empty);
      }
    });
  };
}

function failureSentence(error: Error, stderr: string | null): string {
  const lines = (stderr ?? '').split('\n').filter((line) => line.trim() !== '');
  const last = lines.at(-1);
  return last === undefined || error.message.includes(last) ? error.message : `${error.message}: ${last}`;
}
