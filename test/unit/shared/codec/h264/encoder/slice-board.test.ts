// What becomes of a picture when a lent thread fails or is ended within a slice. The thread is played by the test, on the encoder's own
// memory: its clock, which the encoder reads while it codes, is the moment at which the thread acts.
import { expect, test } from '@jest/globals';
import type { EncoderConfig } from '../../../../../../shared/codec/h264/codec-types.ts';
import { LostThreadError, SliceBoard } from '../../../../../../shared/codec/h264/encoder/slice-board.ts';
import type { SliceThreadOrder } from '../../../../../../shared/codec/h264/encoder/slice-team.ts';
import { H264Encoder } from '../../../../../../shared/codec/h264/encoder.ts';
import { CodecMemory } from '../../../../../../shared/codec/h264/kernels/codec-memory.ts';
import type { ThreadHost } from '../../../../../../shared/codec/h264/threads/thread-host.ts';
import { encodeClip, md5Of, packFrame } from '../../../../../support/encode-clip.ts';
import { movingPicture } from '../../../../../support/moving-picture.ts';

const SIZE = { width: 64, height: 96 };
const config: EncoderConfig = {
  ...SIZE,
  framerate: { numerator: 25, denominator: 1 },
  rateControl: { kind: 'qp', qp: 28 },
  preset: 'balanced',
  slices: 3,
  threads: 2,
};
const clip = movingPicture({ ...SIZE, seed: 9, noise: 5 });

/** A host whose thread never runs, and the board on which the test acts for it. */
class PlayedThread implements ThreadHost {
  readonly parallelism = 2;
  board: SliceBoard | null = null;
  isEnded = false;

  start(): ReturnType<ThreadHost['start']> {
    return {
      post: (message) => {
        const { memory, board, scratch, setup } = message as SliceThreadOrder;
        const { width, height } = setup.size;
        this.board = new SliceBoard(new CodecMemory(memory, scratch), board, width >> 4, height >> 4);
      },
      terminate: () => {
        this.isEnded = true;
        return Promise.resolve();
      },
    };
  }
}

test('a picture in which a lent thread fails is coded again, to the same bytes', () => {
  const host = new PlayedThread();
  let failuresLeft = 0;
  const chunks: Uint8Array[] = [];
  const shown: Uint8Array[] = [];
  const encoder = new H264Encoder({
    output: ({ data }) => chunks.push(data),
    reconstruction: (frame) => shown.push(packFrame(frame)),
    threadHost: host,
    now: () => {
      if (failuresLeft > 0 && host.board !== null && host.board.claim() > 0) {
        failuresLeft--;
        host.board.giveUp();
      }
      return 0;
    },
  });
  encoder.configure(config);
  for (const [index, failures] of [0, 1, 0, 2, 0].entries()) {
    failuresLeft = failures;
    encoder.encode(clip(index));
    expect(failuresLeft).toBe(0);
  }
  // Two slices given up in one attempt cost one more attempt.
  expect(encoder.counters.threadFailures).toBe(2);
  const alone = encodeClip(config, clip, 5);
  expect(md5Of(chunks)).toBe(md5Of([alone.stream]));
  expect(md5Of(shown)).toBe(md5Of(alone.reconstructions));
});

test('a lent thread that is ended within a slice closes the encoder with a LostThreadError', () => {
  const host = new PlayedThread();
  let isArmed = true;
  const encoder = new H264Encoder({
    output: () => undefined,
    threadHost: host,
    now: () => {
      if (isArmed && host.board !== null && host.board.claim() > 0) {
        isArmed = false;
      }
      return 0;
    },
  });
  encoder.configure(config);
  expect(() => encoder.encode(clip(0))).toThrow(LostThreadError);
  expect(host.isEnded).toBe(true);
  expect(() => encoder.encode(clip(1))).toThrow('Call configure() before encode().');
  encoder.configure(config);
  encoder.encode(clip(1));
  encoder.close();
});

test('who waits for a slice that nobody codes is told after its patience', () => {
  const memory = CodecMemory.create(SliceBoard.bytes(4, 6) + 1024, { shared: true });
  const board = new SliceBoard(memory, memory.allocate(SliceBoard.bytes(4, 6), 64), 4, 6, 20);
  board.publish('{}', 1);
  expect(board.claim()).toBe(0);
  expect(() => board.waitForPicture()).toThrow(LostThreadError);
});
