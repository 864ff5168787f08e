// ref_pic_list_modification() (7.3.3.1, 7.4.3.1): the commands of one list.

import type { BitReader } from '../../../bitstream/bit-reader.ts';
import type { BitWriter } from '../../../bitstream/bit-writer.ts';
import { BitstreamError } from '../../../errors.ts';

/** One command: idc 0 subtracts and 1 adds value + 1 = abs_diff_pic_num; 2 names value = long_term_pic_num. */
type ListModificationCommand = {
  readonly modification_of_pic_nums_idc: number; // 0..2
  readonly value: number;
};

/** Commands of one list; empty when ref_pic_list_modification_flag is 0. */
export type ListModification = readonly ListModificationCommand[];

/** More commands than list entries cannot be meant (fields have at most 32). */
const MAX_COMMANDS = 66;

/** Reads the flag and the commands of one list. */
export function parseListModification(reader: BitReader): ListModification {
  const commands: ListModificationCommand[] = [];
  if (!reader.flag()) {
    return commands;
  }
  for (;;) {
    const start = reader.position;
    const modification_of_pic_nums_idc = reader.ue();
    if (modification_of_pic_nums_idc === 3) {
      return commands;
    }
    if (modification_of_pic_nums_idc > 3 || commands.length >= MAX_COMMANDS) {
      const message = `modification_of_pic_nums_idc is ${modification_of_pic_nums_idc} after ${commands.length} commands.`;
      throw new BitstreamError('forbidden-value', '7.4.3.1', start, message);
    }
    commands.push({ modification_of_pic_nums_idc, value: reader.ue() });
  }
}

/** Writes the flag and the commands of one list. */
export function writeListModification(writer: BitWriter, commands: ListModification): void {
  writer.flag(commands.length > 0);
  if (commands.length === 0) {
    return;
  }
  for (const command of commands) {
    writer.ue(command.modification_of_pic_nums_idc);
    writer.ue(command.value);
  }
  writer.ue(3);
}
