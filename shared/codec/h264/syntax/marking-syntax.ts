// dec_ref_pic_marking() (7.3.3.3, 7.4.3.3): how the current picture and its references are kept.

import type { BitReader } from '../../../bitstream/bit-reader.ts';
import type { BitWriter } from '../../../bitstream/bit-writer.ts';
import { BitstreamError } from '../../../errors.ts';

/** One memory_management_control_operation; `first` and `second` are its operands in the order sent, else 0. */
export type MemoryManagementOperation = {
  readonly operation: number; // 1..6
  /** difference_of_pic_nums_minus1 (1, 3), long_term_pic_num (2), max_long_term_frame_idx_plus1 (4), long_term_frame_idx (6). */
  readonly first: number;
  /** long_term_frame_idx of operation 3. */
  readonly second: number;
};

/** All syntax elements of dec_ref_pic_marking(). */
export type DecRefPicMarking =
  | {
      readonly kind: 'idr';
      readonly no_output_of_prior_pics_flag: boolean;
      readonly long_term_reference_flag: boolean;
    }
  | { readonly kind: 'sliding-window' }
  | { readonly kind: 'adaptive'; readonly operations: readonly MemoryManagementOperation[] };

/** More operations than there can be pictures to name cannot be meant. */
const MAX_OPERATIONS = 66;

/** Reads dec_ref_pic_marking(). */
export function parseMarking(reader: BitReader, isIdr: boolean): DecRefPicMarking {
  if (isIdr) {
    return {
      kind: 'idr',
      no_output_of_prior_pics_flag: reader.flag(),
      long_term_reference_flag: reader.flag(),
    };
  }
  if (!reader.flag()) {
    return { kind: 'sliding-window' };
  }
  const operations: MemoryManagementOperation[] = [];
  for (;;) {
    const start = reader.position;
    const operation = reader.ue();
    if (operation === 0) {
      return { kind: 'adaptive', operations };
    }
    if (operation > 6 || operations.length >= MAX_OPERATIONS) {
      const message = `memory_management_control_operation is ${operation} after ${operations.length} operations.`;
      throw new BitstreamError('forbidden-value', '7.4.3.3', start, message);
    }
    operations.push({
      operation,
      first: operation === 5 ? 0 : reader.ue(),
      second: operation === 3 ? reader.ue() : 0,
    });
  }
}

/** Writes dec_ref_pic_marking(). */
export function writeMarking(writer: BitWriter, marking: DecRefPicMarking, isIdr: boolean): void {
  if (isIdr) {
    writer.flag(marking.kind === 'idr' && marking.no_output_of_prior_pics_flag);
    writer.flag(marking.kind === 'idr' && marking.long_term_reference_flag);
    return;
  }
  writer.flag(marking.kind === 'adaptive');
  if (marking.kind === 'adaptive') {
    for (const { operation, first, second } of marking.operations) {
      writer.ue(operation);
      if (operation !== 5) {
        writer.ue(first);
      }
      if (operation === 3) {
        writer.ue(second);
      }
    }
    writer.ue(0);
  }
}
