#!/usr/bin/env bash
# Installs what package-lock.json lists from npm into .local/browser, once, and prints where it is, for NODE_PATH.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$(cd "$here/../.." && pwd)/.local/browser

installed() { cmp -s "$here/package-lock.json" "$folder/installed.json"; }

install() {
  local new=$folder.new
  rm -rf "$new"
  mkdir -p "$new"
  cp "$here"/package.json "$here"/package-lock.json "$new"
  # No scripts: the browser is apt's, and none is to be downloaded.
  npm ci --prefix "$new" --ignore-scripts --no-audit --no-fund >"$new/log" 2>&1 ||
    { echo "npm cannot install: $(grep -m 1 -i 'err' "$new/log" || tail -n 1 "$new/log")" >&2 && exit 69; }
  mv "$new/package-lock.json" "$new/installed.json"
  rm -rf "$folder"
  mv "$new" "$folder"
}

if ! installed; then
  mkdir -p "${folder%/*}"
  exec 9>"$folder.lock"
  flock 9 # two at once would be in each other's way
  installed || install
fi
echo "$folder/node_modules"
