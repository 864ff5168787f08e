// Finds the ffmpeg program, so that nothing is started that is not there. ffmpeg is optional: whoever needs it asks here first and
// says `FFMPEG_MISSING` where it is absent. Called by transcoder.ts, opus-to-aac.ts and import-file.ts.

import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** One clear sentence for viewers and operators; the caller says before it what is off. */
export const FFMPEG_MISSING =
  'ffmpeg is not on the PATH of the server (install it, for example with: apt-get install ffmpeg)';

/** Absolute path of an executable `ffmpeg` in a PATH-like list of directories, or null. */
export function locateFfmpeg(pathVariable: string | undefined = process.env['PATH']): string | null {
  for (const directory of (pathVariable ?? '').split(delimiter)) {
    const candidate = join(directory, 'ffmpeg');
    if (directory !== '' && isExecutableFile(candidate)) {
      return candidate;
    }
  }
  return null;
}

function isExecutableFile(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
