#!/usr/bin/env bash
# Makes the pictures of the live page, docs/pictures/page-*.png, from the program as it plays the bundled clip: each
# is taken while the clip shows the thing that is named on top. Takes five minutes, for the charts to fill,
# and a broker of its own.
# Needs scripts/setup.sh --browser, and build/glimpse.
set -euo pipefail
cd "$(dirname "$0")/.."

for tool in node npm chromium; do
  command -v "$tool" >/dev/null || { echo "page_pictures: there is no $tool: run scripts/setup.sh --browser" >&2 && exit 69; }
done
folder=$(mktemp -d)
broker=(--dir "$folder/broker" --port $((20000 + RANDOM % 10000)) --device glimpse-demo)
trap 'scripts/broker.sh stop "${broker[@]}" >/dev/null; rm -rf "$folder"' EXIT
scripts/broker.sh start "${broker[@]}" >/dev/null
# The system's font is Roboto here, as on an Android phone.
cat >"$folder/fonts.conf" <<'TEXT'
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <match target="pattern">
    <edit name="family" mode="prepend" binding="strong"><string>Roboto</string></edit>
  </match>
  <include>/etc/fonts/fonts.conf</include>
</fontconfig>
TEXT
modules=$(tests/browser/install.sh)
mkdir -p docs/pictures
CHROMIUM=$(command -v chromium) FONTCONFIG_FILE=$folder/fonts.conf NODE_PATH=$modules node tests/browser/pictures.js docs/pictures "$folder/broker/glimpse.json"
