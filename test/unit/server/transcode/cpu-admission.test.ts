import { describe, expect, test } from '@jest/globals';
import { CostModel, CpuAdmission } from '../../../../server/transcode/cpu-admission.ts';

const HD = { width: 1280, height: 720 };

describe('CostModel', () => {
  test('estimates an unmeasured size from the nearest measured one, by area', () => {
    const costs = new CostModel();
    costs.observe('encode', { width: 1280, height: 720 }, 12);
    costs.observe('encode', { width: 320, height: 180 }, 0.6);
    expect(costs.estimateMs('encode', { width: 1920, height: 1080 })).toBeCloseTo(27, 6);
    expect(costs.estimateMs('encode', { width: 426, height: 240 })).toBeCloseTo((0.6 * 426 * 240) / (320 * 180), 6);
  });

  test('follows a machine that becomes slower slowly, and one that becomes faster soon', () => {
    const costs = new CostModel();
    costs.observe('encode', HD, 10);
    costs.observe('encode', HD, 20);
    expect(costs.estimateMs('encode', HD)).toBeCloseTo(12, 6);
    costs.observe('encode', HD, 8);
    expect(costs.estimateMs('encode', HD)).toBeCloseTo(10, 6);
    for (let i = 0; i < 40; i++) {
      costs.observe('encode', HD, 20);
    }
    expect(costs.estimateMs('encode', HD)).toBeCloseTo(20, 1);
  });

  test('turns milliseconds per frame into a share of a core', () => {
    const costs = new CostModel();
    costs.observe('encode', HD, 10);
    costs.observe('decode', HD, 5);
    expect(costs.encodeShare({ ...HD, fps: 30 })).toBeCloseTo(0.3, 6);
    expect(costs.decodeShare(HD, 60)).toBeCloseTo(0.3, 6);
  });
});

describe('CpuAdmission', () => {
  test('admits until the cores of transcode.maxCpu are taken, counting the decoding of a source once', () => {
    const admission = new CpuAdmission({ cores: 2, maxCpu: 0.5, maxThreadShare: 0.9, encodingThreads: 1 });
    expect(admission.refusal('720p', 0.5, 0.2, null)).toBeNull();
    const first = { decode: 0.2, renditions: new Map([['720p', 0.5]]) };
    admission.add(first);
    expect(admission.used).toBeCloseTo(0.7);
    expect(admission.refusal('360p', 0.2, 0.2, first)).toBeNull();
    expect(admission.refusal('360p', 0.2, 0.2, null)).toMatch(
      /^360p needs about 0\.40 of a core and 0\.70 of the 1\.00/,
    );
    admission.remove(first);
    expect(admission.refusal('360p', 0.2, 0.2, null)).toBeNull();
  });

  test('refuses what one thread cannot do, however many cores there are', () => {
    const admission = new CpuAdmission({ cores: 64, maxCpu: 0.8, maxThreadShare: 0.9, encodingThreads: 1 });
    expect(admission.refusal('1080p', 0.8, 0.3, null)).toMatch(/too slow on this machine.*1\.10 of the time/);
    const running = { decode: 0.3, renditions: new Map([['720p', 0.4]]) };
    admission.add(running);
    expect(admission.refusal('480p', 0.3, 0.3, running)).toMatch(/1\.00 of the time/);
    expect(admission.refusal('480p', 0.3, 0.3, null)).toBeNull();
  });

  test('counts what the threads of a source do at the same time once', () => {
    const admission = new CpuAdmission({ cores: 64, maxCpu: 0.8, maxThreadShare: 0.9, encodingThreads: 2 });
    const running = { decode: 0.3, renditions: new Map([['720p', 0.4]]) };
    admission.add(running);
    expect(admission.refusal('480p', 0.3, 0.3, running)).toBeNull();
    running.renditions.set('480p', 0.3);
    expect(admission.refusal('360p', 0.2, 0.3, running)).toBeNull(); // beside 480p: 0.3 + 0.5
    running.renditions.set('360p', 0.2);
    expect(admission.refusal('another', 0.3, 0.3, running)).toMatch(/1\.00 of the time/); // beside 720p
  });

  test('admits nothing with maxCpu 0', () => {
    expect(
      new CpuAdmission({ cores: 8, maxCpu: 0, maxThreadShare: 0.9, encodingThreads: 1 }).refusal(
        '360p',
        0.01,
        0.01,
        null,
      ),
    ).not.toBeNull();
  });
});
