// The import fences of ARCHITECTURE.md. Arrows go one way; nothing goes round in a circle.
const only = (name, from, allowed, comment) => ({
  name,
  severity: 'error',
  comment,
  from: { path: from },
  to: { path: '^(shared|server|client|test|scripts)/', pathNot: allowed },
});

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-orphans',
      severity: 'error',
      from: { orphan: true, path: '^(shared|server|client)/', pathNot: '\\.d\\.ts$|/assembly/' },
      to: {},
    },
    only('shared-is-a-leaf', '^shared/', '^shared/', 'shared/ runs everywhere, so it knows no server and no page.'),
    only('server-not-client', '^server/', '^(server|shared)/', 'The server never imports a page.'),
    only('client-not-server', '^client/', '^(client|shared)/', 'A page never imports the server.'),
    {
      name: 'shared-has-no-packages-but-zod',
      severity: 'error',
      from: { path: '^shared/' },
      to: { dependencyTypes: ['npm', 'npm-dev', 'core'], pathNot: 'node_modules/zod/' },
    },
    {
      name: 'zod-only-at-the-schemas',
      severity: 'error',
      from: { path: '^shared/', pathNot: '^shared/(protocol|telemetry|config)/' },
      to: { path: 'node_modules/zod/' },
    },
    only('windows-import-nothing', '^shared/windows/', '^shared/windows/', 'The window engine is usable alone.'),
    only('jobs-import-windows', '^shared/jobs/', '^shared/(jobs|windows)/', 'Jobs run over windows, nothing else.'),
    only('bitstream-below-media', '^shared/bitstream/', '^shared/(bitstream|media|errors|assert)', ''),
    only('media-is-lowest', '^shared/media/', '^shared/(media|errors|assert)', ''),
    only('codec-below', '^shared/codec/', '^shared/(codec|bitstream|media|errors|assert)', ''),
    only('containers-below', '^shared/containers/', '^shared/(containers|media|bitstream|errors|assert)', ''),
    only('pixels-below', '^shared/pixels/', '^shared/(pixels|media|errors|assert|codec/h264/kernels)', ''),
    {
      name: 'decoder-and-encoder-apart',
      severity: 'error',
      comment: "A viewer's bundle holds no encoder.",
      from: { path: '^shared/codec/h264/decoder(/|\\.ts)' },
      to: { path: '^shared/codec/h264/encoder(/|\\.ts)' },
    },
    {
      name: 'encoder-and-decoder-apart',
      severity: 'error',
      from: { path: '^shared/codec/h264/encoder(/|\\.ts)' },
      to: { path: '^shared/codec/h264/decoder(/|\\.ts)' },
    },
    only(
      'ingest-transcode-delivery-apart',
      '^server/(ingest)/',
      '^(shared|server/(ingest|streams|platform))/',
      'Ingest, transcode and delivery meet in streams.',
    ),
    only('transcode-apart', '^server/transcode/', '^(shared|server/(transcode|streams|platform))/', ''),
    only('delivery-apart', '^server/delivery/', '^(shared|server/(delivery|streams|platform))/', ''),
    only('streams-below', '^server/streams/', '^(shared|server/(streams|platform|read-models))/', ''),
    only('platform-is-lowest', '^server/platform/', '^(shared|server/platform)/', ''),
    only('analytics-arrows', '^server/analytics/', '^(shared|server/(analytics|telemetry|read-models|platform))/', ''),
    only('telemetry-arrows', '^server/telemetry/', '^(shared|server/(telemetry|platform))/', ''),
    only('http-arrows', '^server/http/', '^(shared|server/(http|read-models|streams|platform))/', ''),
    ...['home', 'player', 'studio', 'console', 'not-found'].map((page) =>
      only(`page-${page}-apart`, `^client/${page}/`, `^(shared/|client/(${page}|transport|media|render|ui)/)`, ''),
    ),
    { name: 'nothing-imports-test', severity: 'error', from: { pathNot: '^test/' }, to: { path: '^test/' } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(/assembly/|^dist/)' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { extensions: ['.ts', '.tsx', '.js', '.mjs'] },
  },
};
