// The cover of 24 streams in every form of input and with both kinds of kernels: the frames are the same. All streams in the long run.

import { expect, test } from '@jest/globals';
import { AnnexBSplitter, joinAnnexB, splitAnnexB } from '../../shared/bitstream/annex-b.ts';
import { joinLengthPrefixed, writeAvcDecoderConfigurationRecord } from '../../shared/bitstream/avcc.ts';
import { AccessUnitAssembler } from '../../shared/codec/h264/syntax/access-units.ts';
import { conformanceStreams, COVER, expectedFrames, streamBytes, UNSUPPORTED } from '../support/conformance-streams.ts';
import { decodeFrames } from '../support/decode-frames.ts';
import { seededRandom } from '../support/random.ts';
import { describeWith } from '../support/requirements.ts';

const isLong = process.env['TESSERA_LONG'] === '1';
const NAMES = isLong
  ? conformanceStreams.map(({ name }) => name).filter((name) => UNSUPPORTED[name] === undefined)
  : COVER;
/** The reference kernels take about half a second per picture of 1920x1080. */
const TIMEOUT_MS = isLong ? 600_000 : 60_000;

const nalUnits = (bytes: Uint8Array): Uint8Array[] =>
  splitAnnexB(bytes).map(({ start, end }) => bytes.subarray(start, end));

function accessUnits(bytes: Uint8Array): Uint8Array[] {
  const units: Uint8Array[] = [];
  const assembler = new AccessUnitAssembler((unit) => units.push(unit.data));
  nalUnits(bytes).forEach((nal) => assembler.push(nal));
  assembler.flush();
  return units;
}

describeWith(['material'], 'forms of input', () => {
  for (const name of NAMES) {
    const stream = conformanceStreams.find((candidate) => candidate.name === name);

    test(
      `decodes ${name} NAL unit by NAL unit`,
      () => {
        const chunks = nalUnits(streamBytes(stream!)).map((nal) => joinAnnexB([nal]));
        expect(decodeFrames(chunks).frames).toEqual(expectedFrames(name));
      },
      TIMEOUT_MS,
    );

    test(
      `decodes ${name} access unit by access unit, split at random bytes`,
      () => {
        const bytes = streamBytes(stream!);
        const random = seededRandom(bytes.length);
        const units: Uint8Array[] = [];
        const assembler = new AccessUnitAssembler((unit) => units.push(unit.data));
        const splitter = new AnnexBSplitter({ onNalUnit: (nal) => assembler.push(nal) });
        for (let at = 0; at < bytes.length;) {
          const length = 1 + random(4000);
          splitter.push(bytes.subarray(at, at + length));
          at += length;
        }
        splitter.flush();
        assembler.flush();
        expect(decodeFrames(units).frames).toEqual(expectedFrames(name));
      },
      TIMEOUT_MS,
    );

    test(
      `decodes ${name} length-prefixed`,
      () => {
        const bytes = streamBytes(stream!);
        const chunks = accessUnits(bytes).map((unit) => joinLengthPrefixed(nalUnits(unit)));
        const description = writeAvcDecoderConfigurationRecord({
          AVCProfileIndication: 66,
          profile_compatibility: 0,
          AVCLevelIndication: 30,
          lengthSize: 4,
          sequenceParameterSets: nalUnits(bytes)
            .filter((nal) => (nal[0] & 31) === 7)
            .slice(0, 1),
          pictureParameterSets: nalUnits(bytes)
            .filter((nal) => (nal[0] & 31) === 8)
            .slice(0, 1),
        });
        expect(decodeFrames(chunks, { format: 'avc', description }).frames).toEqual(expectedFrames(name));
      },
      TIMEOUT_MS,
    );

    test(
      `decodes ${name} with the reference kernels`,
      () => {
        expect(decodeFrames([streamBytes(stream!)], { kernels: 'reference' }).frames).toEqual(expectedFrames(name));
      },
      TIMEOUT_MS,
    );
  }
});
