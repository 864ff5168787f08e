// One street of the city: what its sensors measure at a moment, and which lamp goes silent when. Everything is a function of the time, so
// that the picture, the sensors and whoever checks them agree.

export type Reading = { readonly type: string; readonly key: string; readonly value: number };

/** The lamp that stops reporting: from and for how many seconds of each round. */
export type Outage = { readonly everySeconds: number; readonly fromSecond: number; readonly forSeconds: number };

const wave = (seconds: number, period: number, phase: number): number =>
  (1 + Math.sin((2 * Math.PI * seconds) / period + phase)) / 2;
const tenths = (value: number): number => Math.round(value * 10) / 10;

export class Street {
  readonly stream: string;
  private readonly phase: number;
  private readonly outage: Outage;

  constructor(stream: string, phase: number, outage: Outage) {
    this.stream = stream;
    this.phase = phase;
    this.outage = outage;
  }

  /** Cars in the picture, 2..14. */
  cars(seconds: number): number {
    return 2 + Math.round(12 * wave(seconds, 60, this.phase));
  }

  /** Share of the sky, 0..1. */
  clouds(seconds: number): number {
    return wave(seconds, 140, this.phase + 1);
  }

  /** Share of the windows that are lit, 0..1. */
  lights(seconds: number): number {
    return wave(seconds, 90, this.phase + 2);
  }

  isLampOut(secondsSinceStart: number): boolean {
    const { everySeconds, fromSecond, forSeconds } = this.outage;
    const second = secondsSinceStart % everySeconds;
    return second >= fromSecond && second < fromSecond + forSeconds;
  }

  /** What the sensors say now. `seconds`: Unix time. */
  readings(seconds: number, secondsSinceStart: number): Reading[] {
    const lamps = this.isLampOut(secondsSinceStart) ? ['lamp-1'] : ['lamp-1', 'lamp-2'];
    return [
      { type: 'weather', key: 'temperature', value: tenths(24 - 9 * this.clouds(seconds)) },
      { type: 'weather', key: 'wind', value: tenths(2 + 7 * wave(seconds, 35, this.phase)) },
      { type: 'traffic', key: 'cars', value: this.cars(seconds) },
      { type: 'energy', key: 'power', value: tenths(40 + 60 * this.lights(seconds)) },
      ...lamps.map((key) => ({ type: 'energy', key, value: tenths(0.1 + 0.1 * this.lights(seconds)) })),
    ];
  }
}
