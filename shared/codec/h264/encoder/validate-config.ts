// Checks an encoder configuration eagerly: each refusal is a RangeError whose sentence names the key, the value and what is allowed.
// Called by H264Encoder.configure.

import type { EncoderConfig } from '../codec-types.ts';

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

/** Throws RangeError when a value of `config` is outside its range. */
export function validateEncoderConfig(config: EncoderConfig): void {
  within('width', config.width, 1, 4096);
  within('height', config.height, 1, 4096);
  within('framerate.numerator', config.framerate.numerator, 1, 2 ** 31 - 1);
  within('framerate.denominator', config.framerate.denominator, 1, 2 ** 31 - 1);
  const { rateControl } = config;
  if (rateControl.kind === 'qp') {
    within('rateControl.qp', rateControl.qp, 0, 51);
  } else {
    positive('rateControl.kbps', rateControl.kbps);
    positive('rateControl.maxKbps', rateControl.maxKbps);
    positive('rateControl.bufferMs', rateControl.bufferMs);
    if (rateControl.maxKbps !== undefined && rateControl.maxKbps < rateControl.kbps) {
      throw new RangeError(
        `rateControl.maxKbps must be at least rateControl.kbps (${rateControl.kbps}), got ${rateControl.maxKbps}.`,
      );
    }
  }
  if (config.keyint !== 'infinite') {
    within('keyint', config.keyint, 1, 2 ** 31 - 1);
  }
  within('layers', config.layers, 1, 3);
  within('slices', config.slices, 1, 64);
  within('threads', config.threads, 1, 16);
  for (const side of config.sampleAspect ?? []) {
    within('sampleAspect', side, 1, 65535);
  }
}
