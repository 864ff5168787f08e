// The studio behind the page: settings, preview, and the broadcast while there is one.

import type { FromEncodeWorker } from '../media/encode-messages.ts';
import { Store } from '../ui/store.ts';
import { Broadcast } from './broadcast.ts';
import { captureFailure, captureProblem, listDevices, onCaptureEnded, openCapture } from './capture.ts';
import { WakeLock } from '../ui/wake-lock.ts';
import { DEFAULT_SETTINGS, isOnAir, type StudioSettings, type StudioState } from './studio-state.ts';

const STORED = 'tessera.studio';
const CAPTURE_FIELDS = ['source', 'cameraId', 'microphoneId', 'maxHeight', 'fps'] as const;

// The key stays in this tab; everything else is remembered.
function storedSettings(): StudioSettings {
  try {
    const stored = JSON.parse(localStorage.getItem(STORED) ?? '{}') as Partial<StudioSettings>;
    return { ...DEFAULT_SETTINGS, ...stored, source: 'camera', key: sessionStorage.getItem(STORED) ?? '' };
  } catch {
    return DEFAULT_SETTINGS;
  }
}

function store(settings: StudioSettings): void {
  const { key, ...rest } = settings;
  localStorage.setItem(STORED, JSON.stringify(rest));
  sessionStorage.setItem(STORED, key);
}

/** One per page. */
export class Studio {
  readonly state = new Store<StudioState>({
    settings: storedSettings(),
    cameras: [],
    microphones: [],
    preview: null,
    status: { kind: 'off' },
    stats: null,
    problem: captureProblem(),
  });
  readonly #wakeLock = new WakeLock();
  #broadcast: Broadcast | null = null;

  constructor() {
    this.state.subscribe((state) => (this.#wakeLock.isWanted = isOnAir(state)));
  }

  /** Changes settings; what concerns the capture is applied at once. */
  change(fields: Partial<StudioSettings>): void {
    const settings = { ...this.state.value.settings, ...fields };
    this.state.patch({ settings });
    store(settings);
    if (fields.ceilingKbps !== undefined) {
      this.#broadcast?.setCeiling(fields.ceilingKbps);
    }
    const concernsCapture = CAPTURE_FIELDS.some((field) => field in fields);
    if (concernsCapture && (this.state.value.preview !== null || fields.source !== undefined)) {
      void this.openPreview();
    }
  }

  /** Opens camera or screen, and shows it. */
  async openPreview(): Promise<MediaStream | null> {
    if (captureProblem() !== null) {
      return null;
    }
    try {
      const before = this.state.value.preview;
      const preview = await openCapture(this.state.value.settings);
      before?.getTracks().forEach((track) => track.stop());
      this.state.patch({ preview, problem: null, ...(await listDevices()) });
      onCaptureEnded(preview, () => this.#onCaptureEnded(preview));
      this.#broadcast?.setCapture(preview);
      return preview;
    } catch (error) {
      this.state.patch({ problem: captureFailure(error) });
      return null;
    }
  }

  /** Starts to broadcast what the preview shows. */
  async goLive(): Promise<void> {
    const capture = this.state.value.preview ?? (await this.openPreview());
    if (capture === null || isOnAir(this.state.value)) {
      return;
    }
    const { stream, key, encoder, ceilingKbps, fps, maxHeight } = this.state.value.settings;
    this.state.patch({ status: { kind: 'connecting' }, stats: null, problem: null });
    this.#broadcast = new Broadcast(
      { origin: location.origin, stream, key, encoder, ceilingKbps, fps, maxHeight },
      (message) => this.#onMessage(message),
    );
    this.#broadcast.setCapture(capture);
  }

  /** Ends the stream for its viewers. */
  end(): void {
    this.#broadcast?.end();
    this.#broadcast = null;
    this.state.patch({ status: { kind: 'off' } });
  }

  // Viewers keep the last picture meanwhile; the sound goes on.
  #onCaptureEnded(capture: MediaStream): void {
    if (this.state.value.preview === capture) {
      const { source } = this.state.value.settings;
      const what = source === 'screen' ? 'The screen is no longer shared.' : 'The camera is gone.';
      this.state.patch({ preview: null, problem: `${what} Choose what viewers see.` });
    }
  }

  #onMessage(message: FromEncodeWorker): void {
    switch (message.type) {
      case 'status':
        this.#onStatus(message.status);
        break;
      case 'stats':
        this.state.patch({ stats: message.stats });
        break;
      case 'problem':
        this.state.patch({ problem: message.sentence });
        break;
    }
  }

  #onStatus(status: Extract<FromEncodeWorker, { type: 'status' }>['status']): void {
    if (this.#broadcast === null) {
      return;
    }
    if (status.kind === 'refused') {
      this.#broadcast.end();
      this.#broadcast = null;
      this.state.patch({ status, problem: status.sentence });
      return;
    }
    this.state.patch({ status, ...(status.kind === 'live' ? { problem: null } : {}) });
  }
}
