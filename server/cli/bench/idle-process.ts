// The child process that has loaded what `tessera decode` loads and decodes nothing: what it takes is not the decoder's memory.

import '../decode.ts';

const peakRssMb = process.resourceUsage().maxRSS / 1024;
process.stdout.write(`${JSON.stringify({ frames: 0, cpuMs: 0, fps: 0, peakRssMb })}\n`);
