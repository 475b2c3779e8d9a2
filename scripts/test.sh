#!/usr/bin/env bash
# Installs what is needed, builds, and runs every test; the release also fuzzes, for 60 s (or GLIMPSE_FUZZ_SECONDS)
# a target. usage: scripts/test.sh [release|debug|tsan]
set -euo pipefail
cd "$(dirname "$0")/.."

preset=${1:-release}
case $preset in
  release | debug | tsan) ;;
  *) echo "usage: scripts/test.sh [release|debug|tsan]" >&2; exit 64 ;;
esac
scripts/setup.sh --training --fuzzing --packaging --aws --browser
# What comes from npm, too: ctest alone leaves out the tests whose parts are not there and cannot be fetched.
for parts in scripts/aws/rehearsal tests/browser; do
  "$parts/install.sh" >/dev/null
done
scripts/build.sh "$preset"
exec ctest --preset "$preset"
