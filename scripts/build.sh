#!/usr/bin/env bash
# Configures and builds one preset: release (the default, leaves build/glimpse), debug, tsan, fuzz, arm64 or arm64-trixie.
# More arguments are for cmake --build.
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
cmake --build --preset "$preset" "${@:2}"
