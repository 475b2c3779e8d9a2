#!/usr/bin/env bash
# The libraries that glimpse stands on, of another Debian release or architecture, in a folder: from apt alone, which keeps
# lists, sources and status of its own there, downloads only, and nothing is installed. Needs neither root nor chroot nor emulation.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)

usage() {
  cat <<'TEXT'
usage: scripts/pi/sysroot.sh bookworm|trixie arm64|amd64 FOLDER [PACKAGE...]

Makes FOLDER, or leaves it as it is where it was made for the same packages. PACKAGE: more than glimpse needs.
TEXT
}
fail() { echo "sysroot: $2" >&2; exit "$1"; }
# Of what apt or tar said the line that tells.
reason() { grep -m1 'No space left' "$log" || grep -m1 -E '^(E:|tar:|dpkg-deb: error)' "$log" || tail -n1 "$log"; }

[[ ${1:-} == --help || ${1:-} == -h ]] && { usage; exit 0; }
[ $# -ge 3 ] || { usage >&2; exit 64; }
suite=$1 architecture=$2 folder=$3
shift 3
case $suite in
  bookworm) gcc=12 ;;
  trixie) gcc=14 ;;
  *) fail 64 "no Debian release '$suite' here: bookworm or trixie" ;;
esac
case $architecture in
  arm64) triplet=aarch64-linux-gnu ;;
  amd64) triplet=x86_64-linux-gnu ;;
  *) fail 64 "no architecture '$architecture' here: arm64 or amd64" ;;
esac
libraries=$("$root/scripts/setup.sh" --print-libraries)
mapfile -t packages <<<"$libraries"
packages+=(libc6-dev "libstdc++-$gcc-dev" "$@")

made_of="$suite $architecture ${packages[*]}"
[ "$(cat "$folder/.made-of" 2>/dev/null)" = "$made_of" ] && exit 0
if [ -e "$folder" ] && [ ! -d "$folder/.apt" ] && [ -n "$(ls -A "$folder")" ]; then
  fail 73 "$folder holds something else: name an empty folder, or a new one"
fi
keys=/usr/share/keyrings/debian-archive-keyring.gpg
[ -f "$keys" ] || fail 69 "no $keys to check Debian's signatures by: sudo apt-get install debian-archive-keyring"

mkdir -p "$folder" || fail 73 "cannot write to $folder"
folder=$(cd "$folder" && pwd)
apt=$folder/.apt
log=$(mktemp)  # elsewhere: the disk of the folder may be full
trap 'rm -f "$log"' EXIT
find "$folder" -mindepth 1 -maxdepth 1 ! -name .apt -exec rm -rf {} +  # what an interrupted run downloaded stays
mkdir -p "$apt"/{lists,archives}/partial
: >"$apt/status"
for part in "debian $suite" "debian $suite-updates" "debian-security $suite-security"; do
  echo "deb [signed-by=$keys] http://deb.debian.org/$part main"
done >"$apt/sources.list"
options=(-qq -o "APT::Architecture=$architecture" -o "APT::Architectures=$architecture" -o "Dir::State=$apt"
  -o "Dir::State::lists=$apt/lists" -o "Dir::State::status=$apt/status" -o "Dir::Cache=$apt"
  -o "Dir::Cache::archives=$apt/archives" -o "Dir::Etc::sourcelist=$apt/sources.list" -o Dir::Etc::sourceparts=/dev/null
  -o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null -o APT::Sandbox::User=
  -o APT::Update::Error-Mode=any -o Acquire::Retries=3 --no-install-recommends --yes --download-only)

echo "sysroot: Debian $suite for $architecture, in $folder"
apt-get "${options[@]}" update >"$log" 2>&1 || fail 69 "apt-get update for $suite, $architecture: $(reason)"
apt-get "${options[@]}" --print-uris install "${packages[@]}" >"$log" 2>&1 ||
  fail 69 "apt-get install for $suite, $architecture: $(reason)"
echo "sysroot: downloading $(awk '/^\x27/ { files++; bytes += $3 } END { printf "%d packages, %d MB", files, bytes / 1e6 }' "$log")"
apt-get "${options[@]}" install "${packages[@]}" >"$log" 2>&1 || fail 69 "download for $suite, $architecture: $(reason)"

echo "sysroot: unpacking"
for merged in bin sbin lib; do
  mkdir -p "$folder/usr/$merged"
  ln -s "usr/$merged" "$folder/$merged"
done
unpack='dpkg-deb --fsys-tarfile "$1" | tar --extract --keep-directory-symlink --no-same-owner --directory "$0" || exit 255'
find "$apt/archives" -maxdepth 1 -name '*.deb' -print0 |
  xargs -0 -P "$(nproc)" -n 1 bash -o pipefail -c "$unpack" "$folder" >"$log" 2>&1 || fail 73 "unpacking: $(reason)"

# What an installation would have set up: which library is the BLAS; and links mean this folder, not the machine's root.
libraries=$folder/usr/lib/$triplet
for library in "$libraries"/openblas-pthread/lib*.so*; do
  ln -s "openblas-pthread/${library##*/}" "$libraries/${library##*/}"
done
find "$folder" -path "$apt" -prune -o -type l -lname '/*' -printf '%p\0%l\0' |
  while IFS= read -r -d '' link && IFS= read -r -d '' target; do
    if [ -e "$folder$target" ]; then ln -sfnr "$folder$target" "$link"; fi
  done
# For dpkg-shlibdeps, which looks for DEBIAN/ above a library: which package has it, and since when each symbol.
mkdir "$folder/DEBIAN"
for deb in "$apt"/archives/*.deb; do
  dpkg-deb --control "$deb" "$apt/control"
  for file in symbols shlibs; do
    [ ! -f "$apt/control/$file" ] || cat "$apt/control/$file" >>"$folder/DEBIAN/$file"
  done
  rm -r "$apt/control"
done
rm -rf "${apt:?}"/*
# An emulator shows a program the folders that are here in place of the machine's: /proc and /tmp must be the machine's.
find "$folder" -mindepth 1 -maxdepth 1 -type d ! -name .apt ! -name DEBIAN ! -name usr ! -name etc \
  -exec rm -rf {} +
echo "$made_of" >"$folder/.made-of"
echo "sysroot: done, $(du -sm "$folder" | cut -f1) MB"
