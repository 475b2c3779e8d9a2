#!/usr/bin/env bash
# Makes the .deb: installs what is needed, builds the program, packs it.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
  cat <<'TEXT'
usage: scripts/package.sh [release|arm64|arm64-trixie]

Leaves glimpse_VERSION_ARCHITECTURE.deb in build/, for the Debian release of this machine (the default, release), or for a
Raspberry Pi with Debian 12 or 13 in build-arm64/ or build-arm64-trixie/. It installs where that release is.
TEXT
}

preset=${1:-release}
case $preset in
  release) build=build ;;
  arm64 | arm64-trixie) build=build-$preset ;;
  --help | -h) usage; exit 0 ;;
  *) echo "package: no preset '$preset' to pack: release, arm64 or arm64-trixie; scripts/package.sh --help" >&2; exit 64 ;;
esac

scripts/setup.sh --packaging
case $preset in
  arm64) suite=bookworm ;;
  arm64-trixie) suite=trixie ;;
esac
if [ "$preset" != release ]; then
  scripts/setup.sh --crossing
  scripts/pi/sysroot.sh "$suite" arm64 ".local/sysroot/$suite-arm64"
fi
scripts/build.sh "$preset" --target glimpse
log=$build/cpack.log
if ! cpack --config "$build/CPackConfig.cmake" -B "$build" >"$log" 2>&1; then
  cat "$log" >&2
  echo "package: cpack failed; what it did is in $log" >&2
  exit 70
fi
sed -n 's/^CPack: - package: \(.*\) generated\.$/package: \1/p' "$log"
