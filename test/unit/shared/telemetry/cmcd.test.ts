import { describe, expect, test } from '@jest/globals';
import { CmcdSessions } from '../../../../server/http/cmcd-sessions.ts';
import { parseCmcdReports, type CmcdReport } from '../../../../shared/telemetry/cmcd.ts';
import { ProtocolError } from '../../../../shared/errors.ts';
import { seededRandom } from '../../../support/random.ts';

const LINE =
  'br=(3000;v 128;a),bl=(4200),cid="demo",e=ps,ltc=2100,mtp=(12000),sid="6e2f-77",sta=p,ts=1764300000000,v=2';

describe('event reports of CMCD version 2', () => {
  test('are read line by line', () => {
    const [first, second] = parseCmcdReports(`${LINE}\n\nbs,bsd=(700),e=t,sid="x",sta=r,df=12,msd=900,v=2\n`, 10);
    expect(first).toEqual({
      cid: 'demo',
      sid: '6e2f-77',
      event: 'ps',
      state: 'p',
      bufferMs: 4200,
      latencyMs: 2100,
      startMs: undefined,
      starvedMs: undefined,
      isStarved: false,
      droppedFrames: undefined,
    });
    expect(second).toMatchObject({
      event: 't',
      state: 'r',
      isStarved: true,
      starvedMs: 700,
      droppedFrames: 12,
      startMs: 900,
    });
  });

  test('may have keys, parameters and quoting that are of no interest', () => {
    const [report] = parseCmcdReports(
      'cid="a\\"b\\\\c",com.example-key="x, y=(1)",e=t,nor=("seg 1.m4s";r="0-5" "seg2.m4s"),pr=1.5,sid="s",bg=?0,su;q=1,v=2',
      1,
    );
    expect(report).toMatchObject({ cid: 'a"b\\c', sid: 's', event: 't' });
  });

  test.each([
    ['no version', 'e=ps,sid="a"'],
    ['version 1', 'e=ps,sid="a",v=1'],
    ['no session', 'e=ps,v=2'],
    ['no event', 'sid="a",v=2'],
    ['JSON', '{"e":"ps"}'],
    ['an open quote', 'e=ps,sid="a,v=2'],
    ['an open list', 'br=(1 2,e=ps,sid="a",v=2'],
    ['a comma at the end', 'e=ps,sid="a",v=2,'],
    ['upper case keys', 'E=ps,sid="a",v=2'],
    ['a line without end', `e=ps,sid="a",v=2,cid="${'x'.repeat(5000)}"`],
    ['too many members', `${Array.from({ length: 80 }, (_, i) => `a${i}=1`).join(',')},e=ps,sid="a",v=2`],
  ])('are refused with %s', (_what, line) => {
    expect(() => parseCmcdReports(`${LINE}\n${line}`, 10)).toThrow(/^Line 2 /);
  });

  test('are bounded in number, and nothing that comes makes the reader throw otherwise or hang', () => {
    expect(() => parseCmcdReports(`${LINE}\n${LINE}`, 1)).toThrow(ProtocolError);
    const random = seededRandom(11);
    const alphabet = 'abse=v2,"\\();?*1-. \t\u00e9';
    for (let i = 0; i < 3000; i++) {
      const text = Array.from({ length: random(60) }, () => alphabet[random(alphabet.length)]).join('');
      try {
        parseCmcdReports(text, 5);
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError);
      }
    }
  });
});

describe('sessions of other players', () => {
  const report = (more: Partial<CmcdReport> = {}): CmcdReport => ({ sid: 'a', event: 't', isStarved: false, ...more });
  const from = (nowMs: number, address = '192.0.2.1') => ({ stream: 'demo', address, nowMs });

  test('become viewer reports that count for the time since the last one', () => {
    const sessions = new CmcdSessions();
    expect(sessions.take(report({ latencyMs: 2100, startMs: 800 }), from(1000))).toMatchObject({
      topic: 'viewer',
      stream: 'demo',
      intervalMs: 1,
      latencyMs: [2100],
      joinMs: 800,
      stalls: 0,
    });
    expect(sessions.take(report({ starvedMs: 60_000 }), from(6000))).toMatchObject({
      intervalMs: 5000,
      stalledMs: 5000,
    });
    expect(sessions.take(report(), from(999_000)).intervalMs).toBe(30_000);
  });

  test('that rebuffer are stalled until they say otherwise', () => {
    const sessions = new CmcdSessions();
    sessions.take(report({ state: 'p' }), from(0));
    expect(sessions.take(report({ state: 'r' }), from(1000))).toMatchObject({ stalls: 1, stalledMs: 0 });
    expect(sessions.take(report(), from(3000))).toMatchObject({ stalls: 0, stalledMs: 2000 });
    expect(sessions.take(report({ state: 'p' }), from(4000))).toMatchObject({ stalledMs: 1000 });
    expect(sessions.take(report(), from(5000))).toMatchObject({ stalledMs: 0 });
  });

  test('tell how many pictures they dropped since the last report, within what is possible', () => {
    const sessions = new CmcdSessions();
    sessions.take(report({ droppedFrames: 0 }), from(0));
    expect(sessions.take(report({ droppedFrames: 5 }), from(1000)).dropped).toBe(5);
    expect(sessions.take(report({ droppedFrames: 7 }), from(2000)).dropped).toBe(2);
    expect(sessions.take(report({ droppedFrames: 1e9 }), from(3000)).dropped).toBe(240);
  });

  test('are told apart by address, carry none, and are bounded per address', () => {
    const sessions = new CmcdSessions();
    const one = sessions.take(report(), from(0)).session;
    const other = sessions.take(report(), from(0, '192.0.2.2')).session;
    expect(one).not.toBe(other);
    expect(one).toMatch(/^cmcd-[0-9a-f]{24}$/);
    for (let i = 0; i < 63; i++) {
      sessions.take(report({ sid: `s${i}` }), from(0));
    }
    expect(() => sessions.take(report({ sid: 'one more' }), from(0))).toThrow(/sessions per address/);
    sessions.take(report({ sid: 's0', state: 'e' }), from(1)); // it ends: there is room again
    sessions.take(report({ sid: 'one more' }), from(2));
    for (let i = 0; i < 10_500; i++) {
      sessions.take(report({ sid: 'x' }), from(3, `10.0.${i >> 8}.${i & 255}`));
    }
    expect(sessions.size).toBe(10_000);
  });
});
