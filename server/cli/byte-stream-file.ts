// Reads a raw .264 file (or standard input) piece by piece as access units, for `tessera decode` and `tessera probe`.

import { closeSync, openSync, readSync } from 'node:fs';
import { AnnexBSplitter } from '../../shared/bitstream/annex-b.ts';
import { AccessUnitAssembler, type ByteStreamAccessUnit } from '../../shared/codec/h264/syntax/access-units.ts';

const PIECE_BYTES = 256 * 1024;

/** Calls `onAccessUnit` for each access unit of the file; `-` is standard input. Throws one sentence when the file cannot be read. */
export function readByteStream(path: string, onAccessUnit: (unit: ByteStreamAccessUnit) => void): void {
  const assembler = new AccessUnitAssembler(onAccessUnit);
  const splitter = new AnnexBSplitter({ onNalUnit: (nal) => assembler.push(nal), maxNalBytes: 64 * 1024 * 1024 });
  const file = openInput(path);
  try {
    const piece = new Uint8Array(PIECE_BYTES);
    for (;;) {
      const length = readPiece(file, piece);
      if (length === 0) {
        break;
      }
      splitter.push(piece.subarray(0, length));
    }
  } finally {
    if (file !== 0) {
      closeSync(file);
    }
  }
  splitter.flush();
  assembler.flush();
}

function openInput(path: string): number {
  if (path === '-') {
    return 0;
  }
  try {
    return openSync(path, 'r');
  } catch (error) {
    throw new Error(`Cannot read ${path}: ${(error as Error).message}`, { cause: error });
  }
}

function readPiece(file: number, piece: Uint8Array): number {
  for (;;) {
    try {
      return readSync(file, piece, 0, piece.length, null);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EOF') {
        return 0;
      }
      if (code !== 'EAGAIN') {
        throw error;
      }
    }
  }
}
