#!/usr/bin/env bash
# Builds glimpse for the Raspberry Pi (Debian on arm64) on this machine, and runs its tests in an emulator.
set -euo pipefail
cd "$(dirname "$0")/../.."

usage() {
  cat <<'TEXT'
usage: scripts/pi/cross.sh [--suite bookworm|trixie]

Installs a cross compiler and an emulator, makes a sysroot from Debian's arm64 packages in .local/sysroot (2 GB, once), builds
build-arm64/glimpse, or build-arm64-trixie/glimpse, and runs the tests; one compares what it names with what build/glimpse does.
  --suite  the Debian release to build for (default bookworm, which is 12)
TEXT
}
misused() { echo "cross: $1; scripts/pi/cross.sh --help" >&2; exit 64; }

suite=bookworm
while [ $# -gt 0 ]; do
  case $1 in
    --suite) suite=${2:-}; shift ;;
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
scripts/build.sh release --target glimpse
echo "cross: building for arm64, Debian $suite"
scripts/build.sh "$preset"
echo "cross: testing in the emulator, which takes its time"
rm -f "build-$preset/same_names"
status=0
ctest --preset "$preset" || status=$?
cat "build-$preset/same_names" || true  # there is none where the program did not start
exit "$status"
