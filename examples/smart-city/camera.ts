// A street camera that is drawn: the sky of the hour, houses, and as many cars as its traffic sensor counts. Publishes raw pictures, so
// the server's own encoder makes the stream.

import { WebSocketPublisher } from '../../server/cli/clients/websocket-publisher.ts';
import { BT709_LIMITED } from '../../shared/media/colour.ts';
import { i420ByteLength, packedI420, type Plane } from '../../shared/media/frame.ts';
import { microseconds } from '../../shared/media/time.ts';
import { RAW_CODEC } from '../../shared/protocol/track-message.ts';
import type { Street } from './street.ts';

const SIZE = { width: 640, height: 360 } as const;
const FPS = 15;
const HORIZON = 0.62;
const CAR = { width: 44, height: 18 } as const;

function fill(plane: Plane, box: { x: number; y: number; width: number; height: number }, value: number): void {
  const left = Math.max(0, Math.floor(box.x));
  const right = Math.min(plane.width, Math.floor(box.x + box.width));
  for (let y = Math.max(0, Math.floor(box.y)); y < Math.min(plane.height, box.y + box.height); y++) {
    if (right > left) {
      plane.data.fill(value, y * plane.stride + left, y * plane.stride + right);
    }
  }
}

/** Draws what the camera sees `seconds` after its start. */
export function drawStreet(street: Street, seconds: number): Uint8Array {
  const { width, height } = SIZE;
  const bytes = new Uint8Array(i420ByteLength(width, height)).fill(128);
  const { y, u, v } = packedI420(bytes, SIZE, { timestamp: microseconds(0), colour: BT709_LIMITED });
  const ground = Math.floor(height * HORIZON);
  for (let row = 0; row < ground; row++) {
    fill(y, { x: 0, y: row, width, height: 1 }, 200 - street.clouds(seconds) * 70 - (row * 40) / ground);
  }
  fill(u, { x: 0, y: 0, width: u.width, height: ground / 2 }, 150);
  for (let house = 0; house < 9; house++) {
    const tall = 60 + ((house * 53) % 80);
    fill(y, { x: house * 74, y: ground - tall, width: 60, height: tall }, 70 + ((house * 31) % 60));
    for (let pane = 0; pane < 6; pane++) {
      const isLit = street.lights(seconds) > ((house * 6 + pane) % 10) / 10;
      const at = { x: house * 74 + 8 + (pane % 3) * 17, y: ground - tall + 10 + Math.floor(pane / 3) * 24 };
      fill(y, { ...at, width: 10, height: 14 }, isLit ? 210 : 50);
    }
  }
  fill(y, { x: 0, y: ground, width, height: height - ground }, 60);
  fill(y, { x: 0, y: ground + 62, width, height: 3 }, 180);
  const cars = street.cars(seconds);
  for (let car = 0; car < cars; car++) {
    const lane = car % 2;
    const speed = (lane === 0 ? 90 : -75) * (1 + (car % 5) / 10);
    const span = width + CAR.width;
    const x = (((car * 137 + speed * seconds) % span) + span) % span;
    const box = { x: x - CAR.width, y: ground + 25 + lane * 60, ...CAR };
    fill(y, box, 120 + ((car * 47) % 100));
    fill(v, { x: box.x / 2, y: box.y / 2, width: CAR.width / 2, height: CAR.height / 2 }, 90 + ((car * 61) % 110));
  }
  return bytes;
}

/** Publishes the camera until the returned function is called. Rejects when the server refuses it. */
export async function startCamera(url: string, key: string, street: Street): Promise<() => Promise<void>> {
  const address = new URL(`/publish/${street.stream}`, url.replace(/^http/, 'ws'));
  const publisher = await WebSocketPublisher.connect({ url: address.href, key, agent: 'smart-city' });
  publisher.setTrack('video', {
    kind: 'video',
    codec: RAW_CODEC,
    ...SIZE,
    sampleAspect: [1, 1],
    colour: BT709_LIMITED,
    fps: FPS,
  });
  const startedAt = performance.now();
  let frame = 0;
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - startedAt) * FPS) / 1000);
    if (due < frame) {
      return;
    }
    frame = due + 1; // a late timer skips pictures, it does not pile them up
    const timestamp = microseconds(Math.round((due * 1_000_000) / FPS));
    const bytes = drawStreet(street, Date.now() / 1000);
    try {
      publisher.pushFrame(packedI420(bytes, SIZE, { timestamp, colour: BT709_LIMITED }));
    } catch (error) {
      clearInterval(timer);
      process.stderr.write(`${street.stream}: ${error instanceof Error ? error.message : String(error)}\n`);
    }
  }, 1000 / FPS);
  return async () => {
    clearInterval(timer);
    await publisher.close();
  };
}
