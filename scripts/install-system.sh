#!/usr/bin/env bash
# Installs the programs that tests and optional features use, where they are missing. As root on Debian it installs them; otherwise it
# says what is missing and what is off without it. Usage: scripts/install-system.sh [program ...]   (default: everything)
set -uo pipefail

declare -A package_of=(
  [ffmpeg]=ffmpeg [x264]=x264 [chromium]=chromium [kcat]=kcat [java]=openjdk-17-jre-headless [mvn]=maven
)
declare -A use_of=(
  [ffmpeg]='codecs other than H.264, audio for FLV players, and the tests against ffmpeg'
  [x264]='the encoder benchmark beside x264'
  [chromium]='the browser tests'
  [kcat]='the Kafka tests that read our topics from outside'
  [java]='the local Kafka broker'
  [mvn]='fetching the local Kafka broker'
)

programs=("$@")
[ ${#programs[@]} -gt 0 ] || programs=(ffmpeg x264 chromium kcat java mvn)

missing=()
for program in "${programs[@]}"; do
  command -v "$program" >/dev/null 2>&1 || missing+=("$program")
done
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  packages=()
  for program in "${missing[@]}"; do packages+=("${package_of[$program]}"); done
  echo "Installing ${packages[*]} ..." >&2
  apt-get update -qq >&2
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null || echo "The package manager could not install all of: ${packages[*]}" >&2
fi

for program in "${missing[@]}"; do
  command -v "$program" >/dev/null 2>&1 || echo "Missing: $program (package ${package_of[$program]}); without it: ${use_of[$program]}." >&2
done
exit 0
