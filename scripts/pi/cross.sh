#!/usr/bin/env bash
# Builds glimpse for the Raspberry Pi (Debian on arm64) on this machine, and runs its tests in an emulator.
set -euo pipefail
cd "$(dirname "$0")/../.."

usage() {
  cat <<'TEXT'
usage: scripts/pi/cross.sh [--suite bookworm|trixie] [--tests REGEX]

Installs a cross compiler and an emulator, makes a sysroot from Debian's arm64 packages in .local/sysroot (2 GB, once), builds
build-arm64/glimpse, or build-arm64-trixie/glimpse, and runs the tests there; compares what it recognizes with build/glimpse.
  --suite  the Debian release to build for (default bookworm, which is 12)
  --tests  only the tests whose name this regular expression matches
TEXT
}
misused() { echo "cross: $1; scripts/pi/cross.sh --help" >&2; exit 64; }

suite=bookworm
tests=.
while [ $# -gt 0 ]; do
  case $1 in
    --suite) suite=${2:-}; shift ;;
    --tests) tests=${2:-}; shift ;;
    --help | -h) usage; exit 0 ;;
    *) misused "unknown option $1" ;;
  esac
  shift || misused "a value is missing"
done
case $suite in
  bookworm) preset=arm64 ;;
  trixie) preset=arm64-trixie ;;
  *) misused "--suite $suite: bookworm or trixie" ;;
esac

scripts/setup.sh --crossing
scripts/pi/sysroot.sh "$suite" arm64 ".local/sysroot/$suite-arm64"

gcc_of_suite=$(ls ".local/sysroot/$suite-arm64/usr/lib/gcc/aarch64-linux-gnu")
if [ "$(aarch64-linux-gnu-g++ -dumpversion)" -gt "$gcc_of_suite" ]; then
  echo "cross: this machine's g++ is newer than the libstdc++ of $suite ($gcc_of_suite): build for a newer release" >&2
  exit 69
fi

echo "cross: building for this machine, to compare with"
scripts/build.sh release
echo "cross: building for arm64, Debian $suite"
scripts/build.sh "$preset"
echo "cross: testing in the emulator, which takes its time"
status=0
ctest --preset "$preset" --tests-regex "$tests" || status=$?
cat "build-$preset/same_names" 2>/dev/null || true
exit "$status"
