// MP4, MOV, MKV and WebM files as a MediaSource, read by mediabunny. The first video and the first audio track are taken. mediabunny
// gives packets in decoding order with presentation times only: decoding times are the sorted presentation times, moved back far
// enough that no picture is decoded after it is shown.

import { ALL_FORMATS, EncodedPacketSink, FilePathSource, Input } from 'mediabunny';
import type { EncodedPacket, InputAudioTrack, InputVideoTrack } from 'mediabunny';
import { classifyAccessUnit } from '../../../shared/containers/flv/access-unit-class.ts';
import type { FlvVideoCodec } from '../../../shared/containers/flv/video-payload.ts';
import { ContainerError, ProtocolError } from '../../../shared/errors.ts';
import type { AccessUnit, Priority, TrackConfig } from '../../../shared/media/access-unit.ts';
import { UNSPECIFIED_COLOUR } from '../../../shared/media/colour.ts';
import { microseconds } from '../../../shared/media/time.ts';
import { describeVideo } from '../../ingest/video-description/video-description.ts';
import type { MediaSource, SourceEvent, SourceTrackName } from './media-source.ts';

const SECOND = 1_000_000;

type OpenTrack = {
  readonly name: SourceTrackName;
  readonly config: TrackConfig;
  readonly priorityOf: (packet: EncodedPacket) => Priority;
  readonly packets: AsyncGenerator<EncodedPacket>;
  /** Decoding times of the packets in order, microseconds. */
  readonly dts: readonly number[];
};

export class Mp4Source implements MediaSource {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  async *events(): AsyncGenerator<SourceEvent> {
    const input = new Input({ source: new FilePathSource(this.#path), formats: ALL_FORMATS });
    try {
      const tracks = await openTracks(input);
      for (const { name, config } of tracks) {
        yield { kind: 'track', name, config };
      }
      yield* interleave(tracks);
    } finally {
      input.dispose();
    }
  }
}

async function openTracks(input: Input): Promise<OpenTrack[]> {
  if (!(await input.canRead())) {
    throw new ContainerError('The file is neither MP4, MOV, MKV nor WebM, or it is damaged.', 0);
  }
  const video = await input.getPrimaryVideoTrack();
  const audio = await input.getPrimaryAudioTrack();
  if (video === null && audio === null) {
    throw new ContainerError('The file holds neither video nor audio.', 0);
  }
  const tracks: OpenTrack[] = [];
  if (video !== null) {
    tracks.push(await openVideo(video));
  }
  if (audio !== null) {
    tracks.push(await openAudio(audio));
  }
  return tracks;
}

const FLV_NAMES: Readonly<Record<string, FlvVideoCodec>> = { avc: 'avc', hevc: 'hevc', av1: 'av1', vp9: 'vp9' };

async function openVideo(track: InputVideoTrack): Promise<OpenTrack> {
  const [decoderConfig, codecName] = await Promise.all([track.getDecoderConfig(), track.getCodec()]);
  const codec = codecName === null ? undefined : FLV_NAMES[codecName];
  if (decoderConfig === null || codec === undefined) {
    throw new ProtocolError('unsupported-codec', `The video codec ${codecName ?? 'of the file'} is not supported.`);
  }
  const { fps, dts } = await decodingTimes(track);
  const description = bytesOf(decoderConfig.description as unknown);
  const facts =
    description === undefined || codec === 'vp9'
      ? {
          codec: decoderConfig.codec,
          width: decoderConfig.codedWidth ?? 0,
          height: decoderConfig.codedHeight ?? 0,
          sampleAspect: [1, 1] as const,
          colour: UNSPECIFIED_COLOUR,
        }
      : describeVideo(codec, description, {});
  const lengthSize = codec === 'avc' ? ((description?.[4] ?? 3) & 3) + 1 : 4;
  return {
    name: 'video',
    config: { kind: 'video', ...facts, ...(description === undefined ? {} : { description }), fps },
    priorityOf: ({ data, type }) => classifyAccessUnit(codec, data, { lengthSize, isFlaggedKey: type === 'key' }),
    packets: new EncodedPacketSink(track).packets(),
    dts,
  };
}

async function openAudio(track: InputAudioTrack): Promise<OpenTrack> {
  const decoderConfig = await track.getDecoderConfig();
  if (decoderConfig === null) {
    throw new ProtocolError('unsupported-codec', 'The audio codec of the file is not supported.');
  }
  const description = bytesOf(decoderConfig.description as unknown);
  const { codec, sampleRate, numberOfChannels: channels } = decoderConfig;
  const { dts } = await decodingTimes(track);
  return {
    name: 'audio',
    config: { kind: 'audio', codec, sampleRate, channels, ...(description === undefined ? {} : { description }) },
    priorityOf: () => 'key',
    packets: new EncodedPacketSink(track).packets(),
    dts,
  };
}

/** The configuration record, which browsers' types call a buffer source. */
function bytesOf(source: unknown): Uint8Array | undefined {
  if (ArrayBuffer.isView(source)) {
    return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  }
  return source instanceof ArrayBuffer ? new Uint8Array(source) : undefined;
}

/** Reads the packets' times only. */
async function decodingTimes(
  track: InputVideoTrack | InputAudioTrack,
): Promise<{ readonly dts: number[]; readonly fps: number }> {
  const pts: number[] = [];
  for await (const packet of new EncodedPacketSink(track).packets(undefined, undefined, { metadataOnly: true })) {
    pts.push(Math.round(packet.timestamp * SECOND));
  }
  const sorted = pts.toSorted((a, b) => a - b);
  const delay = pts.reduce((most, time, i) => Math.max(most, (sorted[i] ?? 0) - time), 0);
  const span = (sorted.at(-1) ?? 0) - (sorted[0] ?? 0);
  const fps = span === 0 ? 25 : Math.round(((pts.length - 1) * SECOND * 1000) / span) / 1000;
  return { dts: sorted.map((time) => time - delay), fps };
}

/** The units of all tracks in the order of their decoding times. */
async function* interleave(tracks: readonly OpenTrack[]): AsyncGenerator<SourceEvent> {
  const heads = await Promise.all(tracks.map(async (track) => ({ track, index: 0, next: await track.packets.next() })));
  for (;;) {
    const open = heads.filter(({ next }) => next.done !== true);
    const [first, ...others] = open;
    if (first === undefined) {
      return;
    }
    const due = others.reduce((best, head) => (dtsOf(head) < dtsOf(best) ? head : best), first);
    if (due.next.done !== true) {
      yield { kind: 'unit', name: due.track.name, unit: unitOf(due.track, due.next.value, dtsOf(due)) };
    }
    due.index += 1;
    due.next = await due.track.packets.next();
  }
}

function dtsOf({ track, index }: { readonly track: OpenTrack; readonly index: number }): number {
  return track.dts[index] ?? 0;
}

function unitOf(track: OpenTrack, packet: EncodedPacket, dts: number): AccessUnit {
  return {
    priority: track.priorityOf(packet),
    pts: microseconds(Math.round(packet.timestamp * SECOND)),
    dts: microseconds(dts),
    data: packet.data,
    arrivalTime: microseconds(0),
  };
}
