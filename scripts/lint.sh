#!/usr/bin/env bash
# clang-format and clang-tidy over our C++; both must be clean. usage: scripts/lint.sh [--fix]
set -euo pipefail
cd "$(dirname "$0")/.."

mapfile -t files < <(git ls-files -- 'app/*.[ch]pp' 'tests/*.[ch]pp')
if [ "${1:-}" = --fix ]; then
  clang-format -i "${files[@]}"
else
  clang-format --dry-run --Werror "${files[@]}"
fi
[ -f build/compile_commands.json ] || cmake --preset release >/dev/null
printf '%s\n' "${files[@]}" | grep '^app/.*\.cpp$' | xargs -P "$(nproc)" -n 1 clang-tidy -p build --quiet \
    --extra-arg=-Wno-unknown-warning-option --warnings-as-errors='*'
