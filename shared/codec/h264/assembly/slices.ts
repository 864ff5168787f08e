// Entry of the slice module, which only the decoder uses: slice_data() of frames, a macroblock row per call, and the row filter. The
// macroblock's steps are in slice/. Built by scripts/build-kernels.ts.

import { Bits } from './slice/bits';
import { Cabac } from './slice/cabac';
import { CabacSyntax } from './slice/cabac-syntax';
import { FAULT_OUTSIDE, FAULT_TRUNCATED, Mb, Slice } from './slice/context';
import { decodeMacroblock, skipMacroblock } from './slice/macroblock';

export { boundaryStrengths, deblockRow } from './deblock-row';

/** What decodeMacroblockRow returns besides faults (> 1). */
const ROW_ENDED: i32 = 0;
const SLICE_ENDED: i32 = 1;
const FIRST_FAULT: i32 = 2;

/** Bits behind the end that the arithmetic decoder reads ahead of what it consumes. */
const READ_AHEAD_BITS: u32 = 16;

/** slice_data() with CAVLC (7.3.4) up to the end of the macroblock row or of the slice. Returns SLICE_ENDED or ROW_ENDED. */
function cavlcRow(x: i32, row: i32): i32 {
  const width = Slice.width;
  for (; x < width; x++) {
    if (!Slice.isIntra) {
      if (Slice.skipRun < 0) {
        const run = Bits.ue();
        if (run > <u32>Slice.count) {
          Slice.fail(FAULT_OUTSIDE);
          return ROW_ENDED;
        }
        Slice.skipRun = <i32>run;
        if (run == 0 && !Bits.hasMore()) return SLICE_ENDED;
      }
      if (Slice.skipRun > 0) {
        Mb.enter(Slice.mbAddr, x, row);
        skipMacroblock();
        Slice.mbAddr++;
        if (--Slice.skipRun == 0 && !Bits.hasMore()) return SLICE_ENDED;
        continue;
      }
    }
    Mb.enter(Slice.mbAddr, x, row);
    decodeMacroblock();
    if (Slice.fault == 0 && Bits.position > Slice.length) Slice.fail(FAULT_TRUNCATED);
    if (Slice.fault != 0) return ROW_ENDED;
    Slice.mbAddr++;
    Slice.skipRun = -1;
    if (!Bits.hasMore()) return SLICE_ENDED;
  }
  return ROW_ENDED;
}

/** The same with CABAC. */
function cabacRow(x: i32, row: i32): i32 {
  const width = Slice.width;
  for (; x < width; x++) {
    Mb.enter(Slice.mbAddr, x, row);
    if (!Slice.isIntra && CabacSyntax.mb_skip_flag()) {
      skipMacroblock();
    } else {
      decodeMacroblock();
    }
    if (Slice.fault == 0 && Cabac.position() > Slice.length + READ_AHEAD_BITS) Slice.fail(FAULT_TRUNCATED);
    if (Slice.fault != 0) return ROW_ENDED;
    Slice.mbAddr++;
    if (Cabac.terminate()) return SLICE_ENDED;
  }
  return ROW_ENDED;
}

export function decodeMacroblockRow(context: usize): i32 {
  Slice.load(context);
  if (Slice.mbAddr >= Slice.count) return FIRST_FAULT - 1 + FAULT_OUTSIDE;
  const row = Slice.mbAddr / Slice.width;
  const x = Slice.mbAddr - row * Slice.width;
  let result: i32;
  let position: u32;
  if (Slice.isCabac) {
    Cabac.load(context);
    result = cabacRow(x, row);
    Cabac.save(context);
    position = Cabac.position();
  } else {
    Bits.position = load<u32>(context, 32);
    result = cavlcRow(x, row);
    position = Bits.position;
  }
  Slice.save(context, position);
  return Slice.fault != 0 ? FIRST_FAULT - 1 + Slice.fault : result;
}
