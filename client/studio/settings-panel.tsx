// How the picture is sent: where to, with which key, how large, how much, by which encoder.

import { formatBitrate } from '../ui/format.ts';
import { SelectField, type SelectOption } from '../ui/select-field.tsx';
import { TextField } from '../ui/text-field.tsx';
import { isOnAir, streamProblem, type StudioSettings, type StudioState } from './studio-state.ts';
import './settings-panel.css';

type SettingsPanelProps = { readonly state: StudioState; readonly onChange: (fields: Partial<StudioSettings>) => void };

const HEIGHTS: readonly SelectOption[] = ['1080', '720', '540', '360'].map((value) => ({ value, label: `${value}p` }));
const RATES: readonly SelectOption[] = ['60', '30', '24', '15'].map((value) => ({ value, label: `${value} fps` }));
const ENCODERS: readonly SelectOption[] = [
  { value: 'tessera', label: 'Tessera (in this page)' },
  { value: 'webcodecs', label: 'This browser (hardware if it has any)' },
];

function Devices({ state, onChange }: SettingsPanelProps) {
  const { settings, cameras, microphones } = state;
  const toOptions = (devices: StudioState['cameras']) => devices.map(({ id, label }) => ({ value: id, label }));
  return (
    <>
      {settings.source === 'camera' && cameras.length > 0 && (
        <SelectField
          label="Camera"
          value={settings.cameraId === '' ? (cameras[0]?.id ?? '') : settings.cameraId}
          options={toOptions(cameras)}
          onSelect={(cameraId) => onChange({ cameraId })}
        />
      )}
      <SelectField
        label="Microphone"
        value={settings.microphoneId}
        options={[
          { value: '', label: 'Default microphone' },
          ...toOptions(microphones),
          { value: 'off', label: 'No sound' },
        ]}
        onSelect={(microphoneId) => onChange({ microphoneId })}
      />
    </>
  );
}

function Ceiling({ state, onChange }: SettingsPanelProps) {
  const { ceilingKbps } = state.settings;
  return (
    <label class="ceiling">
      <span class="field-label">
        At most <strong>{formatBitrate(ceilingKbps)}</strong>
      </span>
      <input
        type="range"
        min="300"
        max="8000"
        step="100"
        value={ceilingKbps}
        onInput={(event) => onChange({ ceilingKbps: Number(event.currentTarget.value) })}
      />
      <span class="field-hint">Falls by itself when the uplink is slower.</span>
    </label>
  );
}

/** All settings; those that need a new broadcast are fixed while on the air. */
export function SettingsPanel({ state, onChange }: SettingsPanelProps) {
  const { settings } = state;
  const isFixed = isOnAir(state);
  const problem = streamProblem(settings.stream);
  return (
    <section class="settings">
      <TextField
        label="Stream"
        value={settings.stream}
        isDisabled={isFixed}
        onInput={(stream) => onChange({ stream })}
        {...(problem === null ? { hint: `Viewers open /watch/${settings.stream}` } : { problem })}
      />
      <TextField
        label="Key"
        type="password"
        value={settings.key}
        isDisabled={isFixed}
        onInput={(key) => onChange({ key })}
        hint="The server prints it when it starts. Kept in this tab only."
      />
      <Devices state={state} onChange={onChange} />
      <div class="settings-pair">
        <SelectField
          label="Size"
          value={String(settings.maxHeight)}
          options={HEIGHTS}
          isDisabled={isFixed}
          onSelect={(value) => onChange({ maxHeight: Number(value) })}
        />
        <SelectField
          label="Rate"
          value={String(settings.fps)}
          options={RATES}
          isDisabled={isFixed}
          onSelect={(value) => onChange({ fps: Number(value) })}
        />
      </div>
      <Ceiling state={state} onChange={onChange} />
      <SelectField
        label="Encoder"
        value={settings.encoder}
        options={ENCODERS}
        isDisabled={isFixed}
        onSelect={(value) => onChange({ encoder: value === 'webcodecs' ? 'webcodecs' : 'tessera' })}
      />
    </section>
  );
}
