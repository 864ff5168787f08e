#!/usr/bin/env bash
# Brings a checkout to the state in which everything can run: Node new enough, packages installed, kernels and pages built.
# Sourced by scripts/start and scripts/test.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if ! command -v node >/dev/null 2>&1; then
  echo 'Tessera needs Node.js 20.19 or newer; no node is on the PATH.' >&2
  exit 1
fi
node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' || {
  echo "Tessera needs Node.js 20.19 or newer; this is $(node --version)." >&2
  exit 1
}

# The locked versions, once per state of the lock file. "npm ci" refuses a lock file that lacks optional binaries of other platforms,
# as lock files from registries without them do; "npm install --no-save" installs the same locked versions then.
stamp=node_modules/.tessera-lock
if [ ! -f "$stamp" ] || ! cmp -s package-lock.json "$stamp"; then
  echo 'Installing packages ...' >&2
  npm ci --no-audit --no-fund --loglevel=silent >&2 || npm install --no-save --no-audit --no-fund --loglevel=error >&2
  cp package-lock.json "$stamp"
fi

echo 'Building ...' >&2
npm run --silent build >&2
