// Slice groups (8.2.2): which macroblock belongs to which group, and the next macroblock address within a group. Baseline and Extended.

import type { SliceHeader } from '../syntax/slice-header.ts';
import type { PictureParameterSet, SliceGroups } from '../syntax/pps.ts';
import type { SequenceParameterSet } from '../syntax/sps.ts';

const { floor, max, min } = Math;

/** Group of every slice group map unit (8.2.2.1 to 8.2.2.7). */
function mapUnitToSliceGroupMap(groups: SliceGroups, width: number, height: number, unitsInGroup0: number): Uint8Array {
  const size = width * height;
  const map = new Uint8Array(size);
  const last = groups.num_slice_groups_minus1;
  const count = last + 1;
  switch (groups.slice_group_map_type) {
    case 0: {
      // Interleaved runs.
      let i = 0;
      while (i < size) {
        for (let group = 0; group <= last && i < size; group++) {
          const run = (groups.run_length_minus1[group] ?? 0) + 1;
          map.fill(group, i, min(size, i + run));
          i += run;
        }
      }
      break;
    }
    case 1:
      // Dispersed (8-17).
      for (let i = 0; i < size; i++) {
        map[i] = ((i % width) + ((floor(i / width) * count) >> 1)) % count;
      }
      break;
    case 2:
      // Foreground rectangles with a left-over; lower groups lie on top.
      map.fill(last);
      for (let group = last - 1; group >= 0; group--) {
        const topLeft = groups.top_left[group] ?? 0;
        const bottomRight = groups.bottom_right[group] ?? 0;
        const left = topLeft % width;
        const right = bottomRight % width;
        for (let y = floor(topLeft / width); y <= min(height - 1, floor(bottomRight / width)); y++) {
          for (let x = left; x <= right; x++) {
            map[y * width + x] = group;
          }
        }
      }
      break;
    case 3:
      boxOut(map, groups, width, height, unitsInGroup0);
      break;
    case 4:
    case 5: {
      // Raster scan and wipe: the first part of the picture, row by row or column by column.
      const direction = groups.slice_group_change_direction_flag ? 1 : 0;
      const first = direction === 1 ? size - unitsInGroup0 : unitsInGroup0;
      let k = 0;
      for (let i = 0; i < size; i++) {
        const at = groups.slice_group_map_type === 4 ? i : (k % height) * width + floor(k / height);
        map[at] = k < first ? direction : 1 - direction;
        k++;
      }
      break;
    }
    default:
      for (let i = 0; i < size; i++) {
        map[i] = min(last, groups.slice_group_id[i] ?? 0);
      }
  }
  return map;
}

/** 8.2.2.4: a spiral from the centre. */
function boxOut(map: Uint8Array, groups: SliceGroups, width: number, height: number, unitsInGroup0: number): void {
  const direction = groups.slice_group_change_direction_flag ? 1 : 0;
  map.fill(1);
  let x = (width - direction) >> 1;
  let y = (height - direction) >> 1;
  let left = x;
  let top = y;
  let right = x;
  let bottom = y;
  let stepX = direction - 1;
  let stepY: number = direction;
  let k = 0;
  while (k < unitsInGroup0) {
    const at = y * width + x;
    if (map[at] === 1) {
      map[at] = 0;
      k++;
    }
    if (stepX === -1 && x === left) {
      left = max(left - 1, 0);
      x = left;
      stepX = 0;
      stepY = 2 * direction - 1;
    } else if (stepX === 1 && x === right) {
      right = min(right + 1, width - 1);
      x = right;
      stepX = 0;
      stepY = 1 - 2 * direction;
    } else if (stepY === -1 && y === top) {
      top = max(top - 1, 0);
      y = top;
      stepX = 1 - 2 * direction;
      stepY = 0;
    } else if (stepY === 1 && y === bottom) {
      bottom = min(bottom + 1, height - 1);
      y = bottom;
      stepX = 2 * direction - 1;
      stepY = 0;
    } else {
      x += stepX;
      y += stepY;
    }
  }
}

/** Next macroblock address in the same slice group, or null when the PPS has one group (8.2.2.8, 8-16). */
export function sliceGroupSuccessor(
  sps: SequenceParameterSet,
  pps: PictureParameterSet,
  header: SliceHeader,
): ((mbAddr: number) => number) | null {
  const groups = pps.slice_groups;
  if (groups === null) {
    return null;
  }
  const width = sps.pic_width_in_mbs_minus1 + 1;
  const height = sps.pic_height_in_map_units_minus1 + 1;
  const size = width * height;
  const rate = groups.slice_group_change_rate_minus1 + 1;
  const units = min(header.slice_group_change_cycle * rate, size);
  const map = mapUnitToSliceGroupMap(groups, width, height, units);
  const isMbaff = sps.mb_adaptive_frame_field_flag && !header.field_pic_flag;
  const groupOf = (mbAddr: number): number => {
    if (sps.frame_mbs_only_flag || header.field_pic_flag) {
      return map[mbAddr];
    }
    if (isMbaff) {
      return map[mbAddr >> 1];
    }
    return map[floor(mbAddr / (2 * width)) * width + (mbAddr % width)];
  };
  const count = sps.frame_mbs_only_flag || header.field_pic_flag ? size : 2 * size;
  return (mbAddr) => {
    const group = groupOf(mbAddr);
    let i = mbAddr + 1;
    while (i < count && groupOf(i) !== group) {
      i++;
    }
    return i;
  };
}
