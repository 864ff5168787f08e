// What the studio page and the encode worker say to each other. Types only.

/** Who encodes the picture. */
export type EncoderChoice = 'tessera' | 'webcodecs';

/** What is published, and how. */
export type PublishRequest = {
  readonly origin: string;
  readonly stream: string;
  readonly key: string;
  readonly encoder: EncoderChoice;
  readonly ceilingKbps: number;
  readonly fps: number;
  /** Pictures higher than this are scaled down. */
  readonly maxHeight: number;
};

export type ToEncodeWorker =
  | ({ readonly type: 'start' } & PublishRequest)
  /** Frames of the camera or screen; a new stream replaces the old. */
  | { readonly type: 'video'; readonly frames: ReadableStream<VideoFrame> }
  /** One frame, where the browser has no MediaStreamTrackProcessor. */
  | { readonly type: 'frame'; readonly frame: VideoFrame }
  | { readonly type: 'audio'; readonly samples: ReadableStream<AudioData> }
  | { readonly type: 'ceiling'; readonly kbps: number }
  /** Say goodbye: the stream ends. */
  | { readonly type: 'end' };

/** Where the publication stands. */
export type PublishStatus =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  | { readonly kind: 'reconnecting'; readonly sentence: string }
  | { readonly kind: 'refused'; readonly sentence: string }
  | { readonly kind: 'ended' };

/** Live numbers of the studio. */
export type PublishStats = {
  readonly encoder: EncoderChoice;
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly bitrateKbps: number;
  readonly targetKbps: number;
  readonly encodeMs: number;
  readonly encoded: number;
  /** Pictures of the camera that were not encoded: too slow, or the uplink was full. */
  readonly dropped: number;
  readonly rttMs: number | null;
  readonly queueMs: number;
  readonly viewers: number;
  readonly hasAudio: boolean;
};

export type FromEncodeWorker =
  | { readonly type: 'status'; readonly status: PublishStatus }
  | { readonly type: 'stats'; readonly stats: PublishStats }
  | { readonly type: 'problem'; readonly sentence: string };
