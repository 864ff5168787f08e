// The last windows over events of other sources (sensors, meters, chat), for /api/v1/streams/STREAM/data: filled from windows.v1,
// bounded by windows per stream and by bytes for all streams together.

import { z } from 'zod';

const epochMs = z.number().describe('Unix epoch, milliseconds');

const keyWindowSchema = z.object({
  count: z.number(),
  mean: z.number().nullable(),
  min: z.number().nullable(),
  max: z.number().nullable(),
  last: z.unknown(),
  top: z.unknown().describe('texts that came most often, with their counts'),
});

const dataWindowSchema = z.object({
  start: epochMs,
  end: epochMs,
  complete: z.number().describe('share of the reported events that the numbers rest on, 0..1'),
  keys: z.record(z.string(), keyWindowSchema),
});

export const dataWindowsSchema = z.object({ stream: z.string(), windows: z.array(dataWindowSchema) });

type DataWindowView = z.infer<typeof dataWindowSchema>;
export type DataWindows = z.infer<typeof dataWindowsSchema>;

type Kept = { readonly stream: string; readonly window: DataWindowView; readonly bytes: number };

const MAX_WINDOWS = 120;
const MAX_BYTES = 32 * 1024 * 1024;

export class DataWindowsReadModel {
  /** By stream and start, oldest first. */
  private readonly kept = new Map<string, Kept>();
  private readonly perStream = new Map<string, string[]>();
  private bytes = 0;

  /** Takes a window; the same one again changes nothing. `bytes`: the length of its record. */
  apply(stream: string, window: unknown, bytes: number): void {
    const parsed = dataWindowSchema.safeParse(window);
    if (!parsed.success || Object.keys(parsed.data.keys).length === 0) {
      return;
    }
    const name = `${stream} ${parsed.data.start}`;
    if (this.kept.has(name)) {
      return;
    }
    this.kept.set(name, { stream, window: parsed.data, bytes });
    this.bytes += bytes;
    const names = this.perStream.get(stream) ?? [];
    this.perStream.set(stream, [...names, name]);
    if (names.length >= MAX_WINDOWS) {
      this.drop(names[0] ?? name);
    }
    while (this.bytes > MAX_BYTES) {
      const [oldest] = this.kept.keys();
      this.drop(oldest ?? '');
    }
  }

  /** Windows that lie at least partly between `from` and `to`, epoch ms, oldest first. Throws RangeError when asked for nonsense. */
  query(stream: string, { from, to }: { readonly from: number; readonly to: number }): DataWindows {
    if (!(from >= 0) || !(to > from)) {
      throw new RangeError('Ask for a range of time with "from" before "to", in Unix epoch milliseconds.');
    }
    const windows = (this.perStream.get(stream) ?? [])
      .flatMap((name) => this.kept.get(name)?.window ?? [])
      .filter(({ start, end }) => end > from && start < to)
      .sort((a, b) => a.start - b.start);
    return { stream, windows };
  }

  private drop(name: string): void {
    const kept = this.kept.get(name);
    if (kept === undefined) {
      return;
    }
    this.kept.delete(name);
    this.bytes -= kept.bytes;
    const left = (this.perStream.get(kept.stream) ?? []).filter((each) => each !== name);
    if (left.length > 0) {
      this.perStream.set(kept.stream, left);
    } else {
      this.perStream.delete(kept.stream);
    }
  }
}
