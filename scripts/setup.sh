#!/usr/bin/env bash
# Installs what glimpse needs from apt, as root or with sudo. With everything there it does nothing, in a moment.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: scripts/setup.sh [--training] [--fuzzing] [--packaging] [--aws] [--browser] [--developing] [--crossing] | --print-libraries

Installs from apt what building, running and testing glimpse needs (Debian 12 and 13, amd64 and arm64).
  --training    also PyTorch and matplotlib for Python and the emoji font: to make and compare models
  --fuzzing     also clang with its sanitizers and libFuzzer: for tests/fuzz
  --packaging   also what makes and checks the .deb: dpkg-dev, file, lintian, man-db, mmdebstrap
  --aws         also awscli, jq, Python's yaml, Node and npm: for scripts/aws and its rehearsal
  --browser     also Chromium, Node and npm: for tests/browser; and Roboto: for scripts/page_pictures.sh
  --developing  also clang-format, clang-tidy and Google Benchmark
  --crossing    also the compiler and the emulator for arm64: for scripts/pi/cross.sh
  --print-libraries  installs nothing: the names of the packages that glimpse is linked with or loads
TEXT
}

# The names are the same in Debian 12 and 13. third_party/README.md says what each is for.
libraries='
libtorch-dev libopenblas0-pthread libdnnl-dev libxnnpack-dev libpthreadpool-dev
libopencv-dev libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev
gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-libav
libpaho-mqttpp-dev libpaho-mqtt-dev libssl-dev libsqlite3-dev libsystemd-dev
libcurl4-openssl-dev libarchive-dev libcpp-httplib-dev libjs-chart.js
nlohmann-json3-dev libcli11-dev libspdlog-dev
catch2
'
packages="g++ cmake ninja-build pkgconf $libraries
python3 python3-prometheus-client mosquitto mosquitto-clients openssl ca-certificates ffmpeg
"
npm='nodejs npm '
command -v npm >/dev/null && npm= # a Node from elsewhere brings its own and rules out Debian's
for argument in "$@"; do
  case $argument in
    --training)
      packages+='python3-torch python3-torchvision python3-onnx python3-opencv python3-pil python3-matplotlib python3-pyte '
      packages+='fonts-noto-color-emoji '
      ;;
    --fuzzing) packages+='clang libclang-rt-dev ' ;;
    --packaging) packages+='dpkg-dev file lintian man-db mmdebstrap ' ;;
    --aws) packages+="awscli jq python3-yaml $npm" ;;
    --browser) packages+="chromium fonts-roboto-unhinted $npm" ;;
    --developing) packages+='clang-format clang-tidy libbenchmark-dev ' ;;
    # qemu-user and not -static, whose installation makes the whole machine run arm64 programs through it.
    --crossing) packages+='g++-aarch64-linux-gnu qemu-user ' ;;
    --print-libraries) printf '%s\n' $libraries; exit 0 ;;
    --help | -h) usage; exit 0 ;;
    *) usage >&2; exit 64 ;;
  esac
done

installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }
available() { grep -q 'Candidate: [^(]' <<<"$(apt-cache policy "$1" 2>/dev/null)"; }

missing() {
  local package
  for package in $packages; do
    installed "$package" || echo "$package"
  done
}

mapfile -t wanted < <(missing)
[ ${#wanted[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "setup: not root, and there is no sudo. As root, run: apt-get install ${wanted[*]}" >&2
    exit 77
  fi
  as_root=(sudo)
fi

echo "setup: installing ${#wanted[@]} packages from apt: ${wanted[*]}"
"${as_root[@]}" apt-get update -qq </dev/null

unknown=()
for package in "${wanted[@]}"; do
  available "$package" || unknown+=("$package")
done
if [ ${#unknown[@]} -gt 0 ]; then
  echo "setup: this release's apt has no package ${unknown[*]}; glimpse is built for Debian 12 and 13" >&2
  exit 69
fi
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${wanted[@]}" </dev/null >/dev/null
mapfile -t wanted < <(missing)
if [ ${#wanted[@]} -gt 0 ]; then
  echo "setup: could not install ${wanted[*]}" >&2
  exit 69
fi
echo "setup: done"
