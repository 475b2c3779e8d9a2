#!/usr/bin/env bash
# Builds the fuzz targets with clang, or fuzzes one of them. usage: run.sh build | run.sh TARGET [libFuzzer's flags]
# GLIMPSE_FUZZ_SECONDS: how long (60).
# New inputs land in build-fuzz/corpus/TARGET, those that break something in build-fuzz/found.
set -euo pipefail
cd "$(dirname "$0")/../.."

if ! command -v clang++ >/dev/null; then
  echo "fuzz: there is no clang; scripts/setup.sh --fuzzing installs it" >&2
  exit 77
fi
target=${1:?usage: tests/fuzz/run.sh build | TARGET [libFuzzer\'s flags]}
shift
[ "$target" = build ] && exec scripts/build.sh fuzz

program=build-fuzz/fuzz_$target
if [ ! -x "$program" ]; then
  echo "fuzz: there is no $program; build it with tests/fuzz/run.sh build" >&2
  exit 1
fi
mkdir -p "build-fuzz/corpus/$target" build-fuzz/found
scratch=$(mktemp -d -p "$([ -w /dev/shm ] && echo /dev/shm || echo "${TMPDIR:-/tmp}")" glimpse-fuzz-XXXXXX)
dictionary=()
[ -f "tests/fuzz/$target.dict" ] && dictionary=(-dict="tests/fuzz/$target.dict")
trap 'rm -rf "$scratch"' EXIT
export ASAN_OPTIONS=${ASAN_OPTIONS:-quarantine_size_mb=16} TMPDIR=$scratch
"$program" -max_total_time="${GLIMPSE_FUZZ_SECONDS:-60}" -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 -verbosity=0 \
  -artifact_prefix="build-fuzz/found/$target-" "${dictionary[@]}" "$@" "build-fuzz/corpus/$target" "tests/fuzz/corpus/$target"
