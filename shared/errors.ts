// Every error code that leaves Tessera, in five families (CONTRIBUTING.md, errors). The lists are closed; docs/errors.md explains each.

/** Why a peer was refused or disconnected: the WebSocket close code, the HTTP status and the stable name. */
export const PEER_ERRORS = {
  malformed: { close: 4400, status: 400 },
  'wrong-key': { close: 4401, status: 401 },
  'no-such-stream': { close: 4404, status: 404 },
  timeout: { close: 4408, status: 408 },
  busy: { close: 4409, status: 409 },
  ended: { close: 4410, status: 410 },
  'too-big': { close: 4413, status: 413 },
  'unsupported-codec': { close: 4415, status: 415 },
  limit: { close: 4429, status: 429 },
  overloaded: { close: 4503, status: 503 },
} as const;

export type PeerErrorCode = keyof typeof PEER_ERRORS;

/** What plain HTTP can be refused for beside PEER_ERRORS: the status and the stable `code` of the problem+json. */
export const HTTP_ERRORS = {
  'not-found': 404,
  'method-not-allowed': 405,
  'wrong-origin': 403,
  'operators-only': 401,
  'upgrade-required': 426,
  'not-ready': 503,
  internal: 500,
} as const;

export type HttpErrorCode = keyof typeof HTTP_ERRORS;

/** A request is answered with this code and one sentence, as problem+json. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly code: HttpErrorCode;
  constructor(code: HttpErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** The peer broke the rules: it is told this code and one sentence, and disconnected. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  readonly code: PeerErrorCode;
  constructor(code: PeerErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** The peer left; nothing is wrong with anybody. */
export class PeerClosedError extends Error {
  override readonly name = 'PeerClosedError';
}

/** Codes of damaged or unsupported bitstreams. */
export const BITSTREAM_ERRORS = [
  'truncated', // the data ended inside a syntax element
  'forbidden-value', // a syntax element outside its legal range
  'missing-parameter-set', // a slice refers to an SPS or PPS that has not arrived
  'missing-reference', // a reference picture that is not in the DPB
  'unsupported', // legal, but a feature that this decoder does not have
  'inconsistent', // elements that contradict each other (a slice outside its picture, a size change without IDR)
  'lost-slice', // macroblocks of a picture that no slice covered
  'frame-num-gap', // pictures are missing although gaps are not allowed
  'budget', // the access unit took longer than allowed
] as const;

export type BitstreamErrorCode = (typeof BITSTREAM_ERRORS)[number];

/** Damage in an elementary stream: thrown while parsing, caught once per NAL unit or slice by the decoder. */
export class BitstreamError extends Error {
  override readonly name = 'BitstreamError';
  readonly code: BitstreamErrorCode;
  /** Clause of Rec. ITU-T H.264 that the data breaks. */
  readonly clause: string;
  /** Bits from the start of the NAL unit's RBSP. */
  readonly bitOffset: number;
  constructor(code: BitstreamErrorCode, clause: string, bitOffset: number, message: string) {
    super(message);
    this.code = code;
    this.clause = clause;
    this.bitOffset = bitOffset;
  }
}

/** A container (FLV, MP4, Y4M) that breaks its rules. */
export class ContainerError extends Error {
  override readonly name = 'ContainerError';
  readonly byteOffset: number;
  constructor(message: string, byteOffset: number) {
    super(message);
    this.byteOffset = byteOffset;
  }
}
