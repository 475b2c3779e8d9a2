#!/usr/bin/env bash
# Runs every test in a Debian of its own, as it would be on a fresh machine of that release.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
  cat <<'TEXT'
usage: scripts/test_on.sh bookworm|trixie [COMMAND...]

Makes a minimal Debian in .local/debian/SUITE with debootstrap, clones this checkout into it and runs COMMAND there,
./scripts/test.sh when none is given. What the clone has not committed is not tested. Needs root, about 8 GB of disk
and apt. A second run takes the same Debian, with a fresh clone; to begin anew, remove .local/debian/SUITE.
TEXT
}

fail() {
  echo "test_on: $1" >&2
  exit "$2"
}

# In a mount and process namespace of its own: mounts and processes go with it, whatever ends it.
if [ "${1:-}" = --inside ]; then
  root=$2
  shift 2
  mount -t proc proc "$root/proc"
  mount --rbind /sys "$root/sys"  # LibTorch asks both for the processor
  mount --rbind /dev "$root/dev"
  cp -L /etc/resolv.conf "$root/etc/resolv.conf"
  exec chroot "$root" /usr/bin/env -i HOME=/root TERM="${TERM:-dumb}" LANG=C.UTF-8 \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    bash -c 'cd /root/glimpse && exec "$@"' bash "$@"
fi

suite=${1:-}
case $suite in
  bookworm | trixie) shift ;;
  --help | -h) usage; exit 0 ;;
  "") usage >&2; exit 64 ;;
  *) fail "no Debian release '$suite' here: bookworm or trixie; scripts/test_on.sh --help" 64 ;;
esac
[ $# -gt 0 ] || set -- ./scripts/test.sh
[ "$(id -u)" -eq 0 ] || fail "debootstrap and chroot need root: sudo $0 $suite" 77
command -v debootstrap >/dev/null || fail "debootstrap is missing: apt-get install debootstrap" 69

root=$PWD/.local/debian/$suite
if [ ! -e "$root/etc/debian_version" ] || [ -e "$root/debootstrap" ]; then
  rm -rf --one-file-system "$root"
  mkdir -p "$root"
  echo "test_on: making a minimal $suite in $root"
  debootstrap --variant=minbase --include=ca-certificates "$suite" "$root" http://deb.debian.org/debian >"$root.log" 2>&1 ||
    fail "debootstrap failed: $(tail -n 1 "$root.log") (all of it: $root.log)" 69
fi

rm -rf --one-file-system "$root/root/glimpse"
git clone --quiet --no-hardlinks . "$root/root/glimpse"
echo "test_on: $* on $suite"
exec unshare --mount --pid --fork --kill-child --propagation private "$PWD/scripts/test_on.sh" --inside "$root" "$@"
