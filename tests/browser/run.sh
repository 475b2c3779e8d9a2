#!/usr/bin/env bash
# Runs one of the tests here, test_NAME.js, in apt's Chromium. usage: tests/browser/run.sh NAME
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

leave_out() {
  echo "left out: $1"
  exit 77 # ctest's SKIP_RETURN_CODE
}

for tool in node npm chromium; do
  command -v "$tool" >/dev/null || leave_out "there is no $tool; run scripts/setup.sh --browser"
done
modules=$("$here/install.sh" 2>&1) || leave_out "$modules"
NODE_PATH=$modules CHROMIUM=$(command -v chromium) exec node "$here/test_$1.js"
