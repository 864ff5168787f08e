// The conformance material: streams by name with the MD5 of every frame, and a cover of 24 streams that shows every feature.

import { existsSync, readFileSync } from 'node:fs';
import { conformanceDir } from './requirements.ts';

/** An entry of dev/manifest.json. */
export type ConformanceStream = {
  readonly name: string;
  readonly file: string;
  readonly class: string;
  readonly features: readonly string[];
  readonly optional: boolean;
};

const load = <T>(path: string, fallback: T): T =>
  existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as T) : fallback;

/** All streams of dev/; empty without the material. */
export const conformanceStreams = load<readonly ConformanceStream[]>(`${conformanceDir}/dev/manifest.json`, []);

const frameMd5 = load<Readonly<Record<string, readonly string[]>>>(`${conformanceDir}/dev/framemd5.json`, {});

/** Expected MD5 of every frame. */
export function expectedFrames(name: string): readonly string[] {
  return frameMd5[name] ?? [];
}

/** The bytes of a stream. */
export function streamBytes(stream: ConformanceStream): Uint8Array {
  return new Uint8Array(readFileSync(`${conformanceDir}/dev/${stream.file}`));
}

/** Optional streams that are not decoded, each with the reason. */
export const UNSUPPORTED: Readonly<Record<string, string>> = {
  sp2_bt_b: 'SP slices (Extended profile)',
  PPH10I2_Panasonic_A: '10 bits per sample',
  PPH10I4_Panasonic_A: '10 bits per sample',
};

/** 24 streams that together show every feature, short ones preferred. */
export const COVER: readonly string[] = [
  'BASQP1_Sony_C',
  'SVA_Base_B',
  'CVFC1_Sony_C',
  'MR1_BT_A',
  'MR2_TANDBERG_E',
  'FM1_FT_E',
  'test_vd_1d',
  'CABA3_SVA_B',
  'CANL4_SVA_B',
  'CABASTBR3_Sony_B',
  'QCIF_2P_I_allIPCM',
  'CVPCMNL1_SVA_C',
  'SL1_SVA_B',
  '18x32_420p_action-libx264',
  '426x240_420p_action-libx264',
  'FRExt1_Panasonic_D',
  'FRExt2_Panasonic_C',
  'FRExt3_Panasonic_E',
  'FREXT01_JVC_D',
  'FREXT02_JVC_C',
  'HCAFF1_HHI_B',
  'HCAMFF1_HHI_B',
  'CVFI2_SVA_C',
  'test_scalinglist_jm',
];
