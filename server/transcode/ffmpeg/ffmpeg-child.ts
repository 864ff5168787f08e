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
  /** Takes stdout; while the returned promise is pending, the child waits. */
  readonly onOutput: (chunk: Uint8Array) => void | Promise<void>;
  /**
   * Told once. `failure`: null when ffmpeg ended by itself with success or was closed by us, else one sentence. `complaint`: the last
   * thing that ffmpeg had to say about its input, also on success (a file that ends early).
   */
  readonly onEnd: (failure: string | null, complaint: string | null) => void;
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
  /** Resolves when the process is gone, however it ended. */
  readonly gone: Promise<void>;
  private hasEnded = false;
  private resolveGone: () => void = () => undefined;
  private isClosing = false;

  constructor(options: FfmpegChildOptions) {
    this.options = options;
    this.gone = new Promise((resolve) => {
      this.resolveGone = resolve;
    });
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
        this.end(failureSentence(error, stderr), lastLine(stderr));
      })
      .on('end', (_stdout: unknown, stderr: string | null) => {
        this.end(null, lastLine(stderr));
      });
    return command;
  }

  /** Takes stdout chunk by chunk: while the receiver works, the child waits. */
  private outputSink(): Writable {
    return new Writable({
      // fluent-ffmpeg takes a closed output for a failure when the child's exit is told more than 20 ms later.
      emitClose: false,
      write: (chunk: Uint8Array, _encoding, done) => {
        if (this.isClosing) {
          done();
          return;
        }
        const fail = (error: unknown): void => {
          done(error instanceof Error ? error : new Error(String(error)));
        };
        try {
          const taken = this.options.onOutput(chunk);
          if (taken === undefined) {
            done();
          } else {
            taken.then(() => {
              done();
            }, fail);
          }
        } catch (error) {
          fail(error);
        }
      },
    });
  }

  private end(failure: string | null, complaint: string | null): void {
    if (this.hasEnded) {
      return;
    }
    this.hasEnded = true;
    this.resolveGone();
    this.stdin.destroy();
    this.options.onEnd(this.isClosing ? null : failure, this.isClosing ? null : complaint);
  }
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

/** The reason without the prefixes of fluent-ffmpeg, and ffmpeg's own words where they say more. */
function failureSentence(error: Error, stderr: string | null): string {
  const cause = (error as { outputStreamError?: Error }).outputStreamError ?? error;
  const said = cause.message.trim();
  const last = lastLine(stderr);
  return last === null || said.includes(last) ? said : `${said}: ${last}`;
}

/** Without the part of ffmpeg that speaks and its address: `[matroska,webm @ 0x55...]`. */
function lastLine(text: string | null): string | null {
  const line = (text ?? '').trim().split('\n').at(-1) ?? '';
  return line.replace(/^\[[^\]]*\] /, '').trim() || null;
}
