// Slice groups of a seed, and which group every map unit belongs to, from what the types mean (7.4.2.2): Table by table a picture of the
// groups, drawn the way one would draw it by hand.

import type { SliceGroups } from '../../../shared/codec/h264/syntax/pps.ts';
import type { Draw } from './draw.ts';

/** Draws slice groups of a type for a picture of width x height map units. */
export function drawSliceGroups(draw: Draw, type: number, width: number, height: number): SliceGroups {
  const size = width * height;
  const isChanging = type >= 3 && type <= 5;
  const groups = isChanging ? 2 : draw.between(2, Math.min(4, size));
  const numbers = (count: number, one: (i: number) => number): number[] =>
    Array.from({ length: count }, (_, i) => one(i));
  const corners = numbers(type === 2 ? groups - 1 : 0, () => 0).map(() => {
    const left = draw.below(width);
    const top = draw.below(height);
    return [top * width + left, draw.between(top, height - 1) * width + draw.between(left, width - 1)] as const;
  });
  return {
    num_slice_groups_minus1: groups - 1,
    slice_group_map_type: type,
    run_length_minus1: numbers(type === 0 ? groups : 0, () => draw.below(Math.min(5, size))),
    top_left: corners.map(([topLeft]) => topLeft),
    bottom_right: corners.map(([, bottomRight]) => bottomRight),
    slice_group_change_direction_flag: isChanging && draw.chance(50),
    slice_group_change_rate_minus1: isChanging ? draw.below(Math.min(4, size)) : 0,
    slice_group_id: numbers(type === 6 ? size : 0, () => draw.below(groups)),
  };
}

/** The units of a picture from its centre outwards, in a spiral; `isDown`: down first and on to the right, else left first and up. */
function spiral(width: number, height: number, isDown: boolean): number[] {
  const towards = isDown
    ? ([
        [0, 1],
        [1, 0],
        [0, -1],
        [-1, 0],
      ] as const)
    : ([
        [-1, 0],
        [0, -1],
        [1, 0],
        [0, 1],
      ] as const);
  let x = Math.floor((width - (isDown ? 1 : 0)) / 2);
  let y = Math.floor((height - (isDown ? 1 : 0)) / 2);
  const units: number[] = [];
  const visit = (): void => {
    if (x >= 0 && x < width && y >= 0 && y < height) {
      units.push(y * width + x);
    }
  };
  visit();
  // one, one, two, two, three, three ... steps; what lies outside of the picture is passed over
  for (let turn = 0; units.length < width * height; turn++) {
    const [dx, dy] = towards[turn & 3]!;
    for (let step = 0; step <= turn >> 1; step++) {
      x += dx;
      y += dy;
      visit();
    }
  }
  return units;
}

/** The group of each of width x height map units. */
export function groupOfUnits(
  groups: SliceGroups,
  width: number,
  height: number,
  slice_group_change_cycle: number,
): readonly number[] {
  const size = width * height;
  const last = groups.num_slice_groups_minus1;
  const all = Array.from({ length: size }, (_, unit) => ({
    unit,
    x: unit % width,
    y: Math.floor(unit / width),
  }));
  const inGroup0 = Math.min(slice_group_change_cycle * (groups.slice_group_change_rate_minus1 + 1), size);
  const isReversed = groups.slice_group_change_direction_flag;
  switch (groups.slice_group_map_type) {
    case 0: {
      // runs of the groups in turn
      const runs = groups.run_length_minus1.flatMap((run, group) => new Array<number>(run + 1).fill(group));
      return all.map(({ unit }) => runs[unit % runs.length]!);
    }
    case 1:
      // dispersed: each row begins half the groups later than the row above
      return all.map(({ x, y }) => (x + Math.floor((y * (last + 1)) / 2)) % (last + 1));
    case 2:
      // rectangles, the first on top; the last group is what is left
      return all.map(({ x, y }) => {
        const group = groups.top_left.findIndex((topLeft, i) => {
          const bottomRight = groups.bottom_right[i]!;
          const isInColumns = x >= topLeft % width && x <= bottomRight % width;
          return isInColumns && y >= Math.floor(topLeft / width) && y <= Math.floor(bottomRight / width);
        });
        return group < 0 ? last : group;
      });
    case 3: {
      // box-out
      const box = new Set(spiral(width, height, isReversed).slice(0, inGroup0));
      return all.map(({ unit }) => (box.has(unit) ? 0 : 1));
    }
    case 4:
      // raster scan from the upper left, or group 0 at the end
      return all.map(({ unit }) => ((isReversed ? size - 1 - unit : unit) < inGroup0 ? 0 : 1));
    case 5:
      // wipe from the left, or group 0 on the right
      return all.map(({ x, y }) => {
        const place = x * height + y;
        return (isReversed ? size - 1 - place : place) < inGroup0 ? 0 : 1;
      });
    default:
      return groups.slice_group_id;
  }
}
