#!/usr/bin/env bash
# Runs an arm64 program on this machine, with the libraries of a sysroot: emulate.sh SYSROOT PROGRAM [ARGUMENT...]
# It sees the processor of a Raspberry Pi 4, or the one that QEMU_CPU names: a Pi 5 has a cortex-a76.
set -euo pipefail
qemu=$(command -v qemu-aarch64-static || command -v qemu-aarch64) ||
  { echo "emulate: no qemu-aarch64 here: scripts/setup.sh --crossing" >&2; exit 69; }
export QEMU_LD_PREFIX=$1 QEMU_CPU=${QEMU_CPU:-cortex-a72}
shift
exec "$qemu" "$@"
