// The capture time of a picture as SEI user_data_unregistered (D.1.7): a UUID of ours, then Unix epoch microseconds, 8 bytes big endian.
// Written by the encoder, read by the player, so that latency is measured from glass to glass.

import { type Microseconds, microseconds } from '../../../media/time.ts';
import { type SeiMessage, type UserDataUnregistered, writeUserDataUnregistered } from './sei.ts';

/** uuid_iso_iec_11578 of Tessera's capture time. */
const CAPTURE_TIME_UUID = Uint8Array.of(
  ...[0x7e, 0x55, 0xe2, 0xa0, 0x4c, 0x1d, 0x4b, 0x0e],
  ...[0x9b, 0x3a, 0x63, 0x61, 0x70, 0x74, 0x75, 0x72],
);

/** The message for a capture time. */
export function writeCaptureTime(time: Microseconds): SeiMessage {
  const data = new Uint8Array(8);
  new DataView(data.buffer).setBigUint64(0, BigInt(time));
  return writeUserDataUnregistered({ uuid: CAPTURE_TIME_UUID, data });
}

/** The capture time in a user_data_unregistered message, or null when it is something else. */
export function captureTimeOf(message: UserDataUnregistered): Microseconds | null {
  const { uuid, data } = message;
  if (data.length !== 8 || CAPTURE_TIME_UUID.some((byte, i) => uuid[i] !== byte)) {
    return null;
  }
  return microseconds(Number(new DataView(data.buffer, data.byteOffset, 8).getBigUint64(0)));
}
