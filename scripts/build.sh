#!/usr/bin/env bash
# Configures and builds one preset: release (the default, leaves build/glimpse), debug, tsan or fuzz.
# usage: scripts/build.sh [PRESET [TARGET]]
set -euo pipefail
cd "$(dirname "$0")/.."

preset=${1:-release}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! cmake --preset "$preset" >"$log" 2>&1; then
  cat "$log" >&2
  echo "build: cmake failed; is everything installed? (scripts/setup.sh)" >&2
  exit 1
fi
cmake --build --preset "$preset" ${2:+--target "$2"}
