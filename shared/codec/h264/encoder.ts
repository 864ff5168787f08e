/**
 * The H.264 encoder: I420 frames in, access units out, without delay. Configured and called in WebCodecs words. Pure computation: no
 * I/O, no clock; all samples live in one WebAssembly.Memory.
 * @module
 */

import { joinAnnexB } from '../../bitstream/annex-b.ts';
import { joinLengthPrefixed } from '../../bitstream/avcc.ts';
import type { I420Frame } from '../../media/frame.ts';
import type {
  EncodeOptions,
  EncoderConfig,
  EncoderCounters,
  EncoderInit,
  MacroblockReport,
  RateChange,
} from './codec-types.ts';
import type { PicturePlan } from './encoder/gop-structure.ts';
import type { RefreshBand } from './encoder/intra-refresh.ts';
import { decoderConfigurationOf } from './encoder/parameter-sets.ts';
import { exportFrame, importFrame } from './encoder/picture-store.ts';
import type { PictureFacts } from './encoder/rate-control.ts';
import { LostThreadError } from './encoder/slice-board.ts';
import { openSession, type Session } from './encoder/session.ts';
import { StageTimes } from './encoder/statistics.ts';
import { validateEncoderConfig, validateRateChange } from './encoder/validate-config.ts';
import { writeCaptureTime } from './syntax/capture-time.ts';
import { NAL_UNIT_TYPE, writeNalUnit } from './syntax/nal-unit.ts';
import { type SeiMessage, writeRecoveryPoint, writeSei } from './syntax/sei.ts';

const { min } = Math;

/** Encodes one stream. Not reentrant: do not call it from `output`. */
export class H264Encoder {
  private readonly init: EncoderInit;
  private session: Session | null = null;
  private isDescribed = false;
  private lastTimestamp: number | null = null;
  /** A key frame was asked for and its frame had to be dropped. */
  private isKeyFramePending = false;

  /** `init.output` receives what is encoded; call configure() next. */
  constructor(init: EncoderInit) {
    this.init = init;
  }

  /**
   * Sets or replaces the configuration; the next frame is then an IDR. Throws RangeError with a full sentence when a value is out of
   * its range.
   */
  configure(config: EncoderConfig): void {
    validateEncoderConfig(config);
    this.close();
    this.session = openSession(config, this.init);
    this.isDescribed = false;
    this.lastTimestamp = null;
    this.isKeyFramePending = false;
  }

  /**
   * Changes bit rate, buffer or frame rate from the next frame on, without an IDR: the level and the timing in the SPS stay as configured.
   * Throws RangeError when a value is out of its range, TypeError when not configured or when constant QP was configured and a bit rate is asked for.
   */
  adjust(change: RateChange): void {
    const { session } = this;
    if (session === null) {
      throw new TypeError('Call configure() before adjust().');
    }
    validateRateChange(change);
    const { config } = session;
    if (change.rateControl !== undefined && change.rateControl.kind !== config.rateControl.kind) {
      throw new TypeError('adjust() keeps the kind of rate control; use configure() to change it.');
    }
    session.config = { ...config, ...change };
    session.rate.change(session.config.rateControl);
  }

  /** What was out of the ordinary since configure(), mostly for rate control. */
  get counters(): EncoderCounters {
    const { session } = this;
    return session === null
      ? { recoded: 0, repeated: 0, dropped: 0, sceneCuts: 0, threadFailures: 0 }
      : {
          recoded: session.rate.recoded,
          repeated: session.rate.repeated,
          dropped: session.rate.dropped,
          sceneCuts: session.sceneCuts,
          threadFailures: session.pictures.threadFailures,
        };
  }

  /**
   * Encodes one frame and calls `output` before it returns; only when not even a repetition of the picture before fits the decoder's buffer
   * or the limit per picture, the frame is dropped, counted, and a wanted key frame made with the next one. The frame is copied: the caller may
   * close it afterwards. With keyFrame the picture is an IDR. Throws TypeError when not configured, RangeError when the frame's size is not the
   * configured one, and LostThreadError when a lent thread was ended from outside within a slice: the encoder is closed then.
   */
  encode(frame: I420Frame, options: EncodeOptions = {}): void {
    const { session } = this;
    if (session === null) {
      throw new TypeError('Call configure() before encode().');
    }
    const { config } = session;
    if (frame.width !== config.width || frame.height !== config.height) {
      throw new RangeError(
        `The encoder is configured for ${config.width}x${config.height}, got a frame of ${frame.width}x${frame.height}.`,
      );
    }
    const times = new StageTimes(this.init.now);
    importFrame(session.memory, session.source, session.size, frame);
    session.analysis?.run(session.source);
    times.mark('analyse');
    const isKeyFrame = options.keyFrame === true || this.isKeyFramePending;
    const isSceneCut = session.analysis?.isSceneCut === true && config.rateControl.kind === 'bitrate';
    const predictFrom = options.predictFrom ?? null;
    const plan = session.gop.plan({ isKeyFrame, isSceneCut, isKept: options.keepLongTerm === true, predictFrom });
    if (plan.isFreshStart) {
      session.refresh?.restart();
    }
    const band = plan.isIntra ? null : (session.refresh?.plan() ?? null);
    const nals = this.leadingUnits(session, plan, band, options);
    const qp = this.codeOrClose(session, plan, band, nals, frame.timestamp);
    this.isKeyFramePending = qp === null && isKeyFrame;
    if (qp === null) {
      return;
    }
    times.mark('code');
    session.sceneCuts += plan.isIntra && !plan.isIdr ? 1 : 0;
    const figures = session.meter.take(session.source, plan.target, plan.isIntra);
    session.gop.commit(plan);
    session.pictures.commit(plan.target);
    if (session.previousSource !== null) {
      [session.source, session.previousSource] = [session.previousSource, session.source];
    }
    const {
      config: { format },
      sets,
    } = session;
    const data = format === 'avc' ? joinLengthPrefixed(nals) : joinAnnexB(nals);
    times.mark('pack');
    const description = format === 'avc' && !this.isDescribed ? decoderConfigurationOf(sets) : null;
    this.isDescribed = true;
    const recoveryFrames = band?.recovery_frame_cnt ?? null;
    this.init.output(
      { type: plan.isIdr ? 'key' : 'delta', timestamp: frame.timestamp, data },
      {
        ...(description === null ? {} : { description }),
        temporalLayer: plan.temporalLayer,
        isReference: plan.isReference,
        ...(recoveryFrames === null ? {} : { recoveryFrames }),
        ...(plan.longTermIndex === null ? {} : { longTermIndex: plan.longTermIndex }),
        qp,
        bits: 8 * data.length,
        statistics: { ...figures, ms: times.report(session.pictures.filterMs) },
      },
    );
    this.init.reconstruction?.(exportFrame(session.memory, plan.target, frame));
  }

  /** What is known of each macroblock of the last coded picture: views, valid until the next encode(). Throws TypeError before configure(). */
  get macroblocks(): MacroblockReport {
    if (this.session === null) {
      throw new TypeError('Call configure() before macroblocks.');
    }
    return this.session.meter.report();
  }

  /** What precedes the slices: parameter sets where a decoder may join, SEI messages. */
  private leadingUnits(
    session: Session,
    plan: PicturePlan,
    band: RefreshBand | null,
    options: EncodeOptions,
  ): Uint8Array[] {
    const nals: Uint8Array[] = [];
    const recovery_frame_cnt = band?.recovery_frame_cnt ?? null;
    if ((plan.isIdr || recovery_frame_cnt !== null) && session.config.format !== 'avc') {
      nals.push(session.sets.spsNal, session.sets.ppsNal);
    }
    const messages: SeiMessage[] = [];
    if (recovery_frame_cnt !== null) {
      const point = { recovery_frame_cnt, exact_match_flag: true, broken_link_flag: false };
      messages.push(writeRecoveryPoint({ ...point, changing_slice_group_idc: 0 }));
    }
    if (options.captureTime !== undefined) {
      messages.push(writeCaptureTime(options.captureTime));
    }
    if (messages.length > 0) {
      nals.push(writeNalUnit({ nal_ref_idc: 0, nal_unit_type: NAL_UNIT_TYPE.SEI, rbsp: writeSei(messages) }));
    }
    return nals;
  }

  /** Delivers what is pending: nothing, as every frame is delivered by encode(). */
  flush(): void {
    if (this.session === null) {
      throw new TypeError('Call configure() before flush().');
    }
  }

  /** Slices that lent threads have coded since configure(): 0 says that this encoder works alone. */
  get lentSlices(): number {
    return this.session?.pictures.lentSlices ?? 0;
  }

  /** Ends what the configuration holds, lent threads too. configure() opens the encoder again. */
  close(): void {
    this.session?.pictures.close();
    this.session = null;
  }

  /** codePicture; when a thread is lost, this configuration's memory is too. */
  private codeOrClose(...picture: Parameters<H264Encoder['codePicture']>): number | null {
    try {
      return this.codePicture(...picture);
    } catch (error) {
      if (error instanceof LostThreadError) {
        this.close();
      }
      throw error;
    }
  }

  /** Codes the picture, again with a higher QP when it does not fit. Returns its mean QP, or null when the frame is dropped. */
  private codePicture(
    session: Session,
    plan: PicturePlan,
    band: RefreshBand | null,
    nals: Uint8Array[],
    timestamp: number,
  ): number | null {
    const { rate, pictures, source, previousSource, analysis } = session;
    const offsets = analysis?.offsets ?? session.noOffsets;
    const fade = analysis?.fade ?? null;
    rate.start(this.factsOf(session, plan, timestamp));
    const before = nals.length;
    let isRepetition = false;
    for (;;) {
      nals.length = before;
      const qp = {
        first: rate.qp,
        afterRow: (row: number, rowBits: number) => rate.afterRow(row, rowBits),
        rowCoded: (row: number, rowBits: number) => rate.rowCoded(row, rowBits),
      };
      pictures.code(source, plan, { ...qp, offsets, isRepetition, band, fade, previousSource }, (nal, rbsp) =>
        nals.push(writeNalUnit({ ...nal, rbsp })),
      );
      let bits = 0;
      for (const nal of nals) {
        bits += 8 * (nal.length + 4);
      }
      const verdict = rate.judge(bits);
      if (verdict === 'send') {
        if (isRepetition) {
          session.refresh?.restart();
        } else if (band !== null) {
          session.refresh?.advance();
        }
        return rate.finish(bits);
      }
      if (verdict === 'drop') {
        return null;
      }
      isRepetition = verdict === 'repeat';
    }
  }

  private factsOf(session: Session, plan: PicturePlan, timestamp: number): PictureFacts {
    const { numerator, denominator } = session.config.framerate;
    const nominal = denominator / numerator;
    const elapsed = this.lastTimestamp === null ? 0 : (timestamp - this.lastTimestamp) / 1e6;
    const isUsable = this.lastTimestamp === null || (elapsed > 0 && elapsed < 10);
    this.lastTimestamp = timestamp;
    const seconds = isUsable ? elapsed : nominal;
    return {
      isIntra: plan.isIntra,
      isNewScene: plan.isIntra && session.analysis?.isSceneCut === true,
      temporalLayer: plan.temporalLayer,
      rows: session.size.height >> 4,
      seconds,
      duration: seconds > 0 ? min(seconds, 4 * nominal) : nominal,
      activity: session.analysis?.activity ?? 1,
    };
  }
}
