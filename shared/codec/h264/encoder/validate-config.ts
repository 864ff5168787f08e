// Checks an encoder configuration eagerly: each refusal is a RangeError whose sentence names the key, the value and what is allowed.
// Called by H264Encoder.configure.

import type { EncoderConfig, RateChange, RateControlConfig } from '../codec-types.ts';
import { defaultProfileOf } from './presets.ts';

const { isFinite, isInteger } = Number;

function within(name: string, value: number | undefined, low: number, high: number): void {
  if (value !== undefined && !(isInteger(value) && value >= low && value <= high)) {
    throw new RangeError(`${name} must be a whole number from ${low} to ${high}, got ${value}.`);
  }
}

function positive(name: string, value: number | undefined): void {
  if (value !== undefined && !(isFinite(value) && value > 0)) {
    throw new RangeError(`${name} must be a positive number, got ${value}.`);
  }
}

function validateFramerate(framerate: EncoderConfig['framerate']): void {
  within('framerate.numerator', framerate.numerator, 1, 2 ** 31 - 1);
  within('framerate.denominator', framerate.denominator, 1, 2 ** 31 - 1);
}

function validateRateControl(rateControl: RateControlConfig): void {
  if (rateControl.kind === 'qp') {
    within('rateControl.qp', rateControl.qp, 0, 51);
    return;
  }
  positive('rateControl.kbps', rateControl.kbps);
  positive('rateControl.maxKbps', rateControl.maxKbps);
  positive('rateControl.bufferMs', rateControl.bufferMs);
  within('rateControl.maxFrameBytes', rateControl.maxFrameBytes, 64, 2 ** 31 - 1);
  if (rateControl.maxKbps !== undefined && rateControl.maxKbps < rateControl.kbps) {
    throw new RangeError(
      `rateControl.maxKbps must be at least rateControl.kbps (${rateControl.kbps}), got ${rateControl.maxKbps}.`,
    );
  }
}

/** Throws RangeError when a value of `config` is outside its range. */
export function validateEncoderConfig(config: EncoderConfig): void {
  within('width', config.width, 1, 4096);
  within('height', config.height, 1, 4096);
  validateFramerate(config.framerate);
  validateRateControl(config.rateControl);
  if (config.keyint !== 'infinite') {
    within('keyint', config.keyint, 1, 2 ** 31 - 1);
  }
  const isBaseline = (config.profile ?? defaultProfileOf(config.preset ?? 'fast')) === 'baseline';
  if (config.entropy === 'cabac' && isBaseline) {
    throw new RangeError('entropy cabac needs profile main or high: baseline has CAVLC only.');
  }
  if (config.weightedPrediction === true && isBaseline) {
    throw new RangeError('weightedPrediction needs profile main or high: baseline has none.');
  }
  within('layers', config.layers, 1, 3);
  within('longTermReferences', config.longTermReferences, 0, 2);
  within('intraRefresh', config.intraRefresh, 2, 1000);
  if (config.intraRefresh !== undefined && (config.layers ?? 1) > 1) {
    throw new RangeError(`intraRefresh needs layers 1, got ${config.layers}.`);
  }
  within('slices', config.slices, 1, 64);
  within('threads', config.threads, 1, 16);
  for (const side of config.sampleAspect ?? []) {
    within('sampleAspect', side, 1, 65535);
  }
}

/** Throws RangeError when a value of `change` is outside its range. */
export function validateRateChange(change: RateChange): void {
  if (change.framerate !== undefined) {
    validateFramerate(change.framerate);
  }
  if (change.rateControl !== undefined) {
    validateRateControl(change.rateControl);
  }
}
