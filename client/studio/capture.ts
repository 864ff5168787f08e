// Camera, screen and microphone of this machine: opening them, listing them, and reading their frames where the browser can.

import type { Device, StudioSettings } from './studio-state.ts';

/** Why the page cannot capture at all, or null. */
export function captureProblem(): string | null {
  if (!window.isSecureContext) {
    return 'Cameras and screens can be used only on a secure page. Open the studio by https, or on the server itself.';
  }
  if (!('mediaDevices' in navigator)) {
    return 'This browser gives pages no access to cameras.';
  }
  return null;
}

const REASONS: Readonly<Record<string, string>> = {
  NotAllowedError: 'The browser was not allowed to use it. Allow it in the address bar and try again.',
  NotFoundError: 'There is no such device.',
  NotReadableError: 'Another program is using the device.',
  OverconstrainedError: 'The device cannot deliver this size or rate.',
};

/** A sentence for a failed capture. */
export function captureFailure(error: unknown): string {
  const name = error instanceof Error ? error.name : '';
  return REASONS[name] ?? `Capturing failed: ${String(error)}`;
}

async function openPicture(settings: StudioSettings): Promise<MediaStream> {
  const frameRate = { ideal: settings.fps, max: settings.fps };
  if (settings.source === 'screen') {
    return navigator.mediaDevices.getDisplayMedia({ video: { frameRate }, audio: false });
  }
  const height = { ideal: settings.maxHeight };
  const width = { ideal: Math.round((settings.maxHeight * 16) / 9) };
  const deviceId = settings.cameraId === '' ? {} : { deviceId: { exact: settings.cameraId } };
  return navigator.mediaDevices.getUserMedia({ video: { ...deviceId, width, height, frameRate } });
}

async function openMicrophone(settings: StudioSettings): Promise<MediaStreamTrack[]> {
  if (settings.microphoneId === 'off') {
    return [];
  }
  const deviceId = settings.microphoneId === '' ? {} : { deviceId: { exact: settings.microphoneId } };
  const stream = await navigator.mediaDevices.getUserMedia({ audio: { ...deviceId, sampleRate: 48_000 } });
  return stream.getAudioTracks();
}

/** Calls back when the picture's source goes away by itself: sharing was stopped, or the camera unplugged. */
export function onCaptureEnded(capture: MediaStream, listener: () => void): void {
  capture.getVideoTracks().forEach((track) => track.addEventListener('ended', listener, { once: true }));
}

/** Picture and (where there is one) sound. Rejects when there is no picture; a missing microphone is left out. */
export async function openCapture(settings: StudioSettings): Promise<MediaStream> {
  const picture = await openPicture(settings);
  const sound = await openMicrophone(settings).catch(() => []);
  return new MediaStream([...picture.getVideoTracks(), ...sound]);
}

/** Cameras and microphones; names are known once one of them was allowed. */
export async function listDevices(): Promise<{
  readonly cameras: readonly Device[];
  readonly microphones: readonly Device[];
}> {
  const devices = await navigator.mediaDevices.enumerateDevices();
  const ofKind = (kind: MediaDeviceKind, name: string): readonly Device[] =>
    devices
      .filter((device) => device.kind === kind && device.deviceId !== '')
      .map((device, index) => ({
        id: device.deviceId,
        label: device.label === '' ? `${name} ${index + 1}` : device.label,
      }));
  return { cameras: ofKind('videoinput', 'Camera'), microphones: ofKind('audioinput', 'Microphone') };
}

// A hiccup of the encoder must not cost a picture: so many may wait for it.
const WAITING_FRAMES = 3;
const WAITING_SAMPLES = 50;

type TrackProcessor<Data> = new (init: { readonly track: MediaStreamTrack; readonly maxBufferSize: number }) => {
  readonly readable: ReadableStream<Data>;
};

/** Frames of a track as a stream that can be handed to a worker, or null where the browser has none. */
export function readTrack<Data extends VideoFrame | AudioData>(track: MediaStreamTrack): ReadableStream<Data> | null {
  const Processor = (globalThis as { MediaStreamTrackProcessor?: TrackProcessor<Data> }).MediaStreamTrackProcessor;
  const maxBufferSize = track.kind === 'video' ? WAITING_FRAMES : WAITING_SAMPLES;
  return Processor === undefined ? null : new Processor({ track, maxBufferSize }).readable;
}

/** Calls back with each frame that a video element shows: for browsers without track processors. Returns the function that stops it. */
export function readElement(element: HTMLVideoElement, onFrame: (frame: VideoFrame) => void): () => void {
  let handle = 0;
  const next = () => {
    onFrame(new VideoFrame(element, { timestamp: Math.round(performance.now() * 1000) }));
    handle = element.requestVideoFrameCallback(next);
  };
  handle = element.requestVideoFrameCallback(next);
  return () => element.cancelVideoFrameCallback(handle);
}
