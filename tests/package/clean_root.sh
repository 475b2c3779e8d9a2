#!/usr/bin/env bash
# Installs the .deb in a new Debian with its dependencies from apt, runs it there as the user glimpse, upgrades, removes and
# purges it, and compares what is left with what was there before. usage: clean_root.sh FILE.deb
# In name spaces of its own, in memory: whatever happens, no mount, process or file of it is left.
set -euo pipefail

skip() { echo "skipped: $*"; exit 77; }
fail() { echo "FAILED: $*" >&2; exit 1; }

deb=$(realpath "${1:?usage: clean_root.sh FILE.deb}")
memory=${deb%/*}/clean_root # an empty folder; what is mounted on it is seen in here alone
if [ "${2:-}" != --inside ]; then
  [ "$(id -u)" -eq 0 ] || skip "makes a root of its own, which only root can"
  command -v mmdebstrap >/dev/null || skip "no mmdebstrap: scripts/setup.sh --packaging"
  [ "$(awk '/^MemAvailable/ {print int($2 / 1024)}' /proc/meminfo)" -ge 3000 ] || skip "less than 3 GB of memory are free"
  unshare --mount --pid --fork true 2>/dev/null || skip "may not make name spaces here"
  mkdir -p "$memory"
  exec unshare --mount --propagation private --pid --fork --kill-child --mount-proc "$0" "$deb" --inside
fi

mount -t tmpfs -o size=2500m tmpfs "$memory"
root=$memory/debian
log=$memory/log
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
step() { echo "$(($(date +%s) - started)) s: $*"; }
started=$(date +%s)
# quietly COMMAND...: its output is shown where it fails
quietly() { "$@" >"$log" 2>&1 </dev/null || { tail -n 40 "$log" >&2; fail "$*"; }; }
within() { chroot "$root" "$@"; }
as_glimpse() { within su -s /bin/sh glimpse -c "cd && $1"; }

# --- a Debian of this machine's release, from this machine's mirrors --------------------------------------------------------

sources=$(apt-get indextargets --format \
  'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(REPO_URI) $(RELEASE) $(COMPONENT)' \
  'Created-By: Packages' 'Origin: Debian' | grep ' main$') || skip "apt has no lists of Debian: apt-get update"
release=$(. /etc/os-release && echo "$VERSION_CODENAME")
mirror=$(awk -v release="$release" '$4 == release {print $3; exit}' <<<"$sources")
/usr/lib/apt/apt-helper download-file "${mirror}dists/$release/InRelease" "$log" >/dev/null 2>&1 ||
  skip "no network to ${mirror:-a mirror of $release}"
step "a new Debian $release"
echo "$sources" >"$memory/debian.list"
quietly mmdebstrap --variant=apt --skip=cleanup/apt/lists --aptopt='APT::Install-Recommends "false"' \
  "$release" "$root" "$memory/debian.list"
quietly mount --bind /dev "$root/dev"
quietly mount --bind /sys "$root/sys"
quietly mount -t proc proc "$root/proc"
cp -L /etc/resolv.conf "$root/etc/resolv.conf"
echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/unsafe-io" # it is all in memory
cp "$deb" "$root/glimpse.deb"

# What can be seen of the system, but for what apt, dpkg and the tools for users write of themselves.
snapshot() {
  (cd "$root" && find . -xdev \( -path ./proc -o -path ./sys -o -path ./dev -o -path ./tmp -o -path ./var/cache/apt \
    -o -path ./var/lib/apt -o -path ./var/log -o -path './var/lib/dpkg/*-old' -o -path './var/lib/dpkg/lock*' \
    -o -path ./var/lib/dpkg/triggers -o -path './etc/*-' -o -name '*.pyc' -o -name '*.deb' \) -prune -o -printf '%M %U:%G %p\n' | sort -k 3
    find etc var/lib/dpkg/status var/lib/systemd -type f ! -path 'etc/*-' -exec sha256sum {} + 2>/dev/null | sort -k 2)
}

step "its dependencies"
quietly within apt-get satisfy -y "$(dpkg-deb --field "$deb" Depends)"
snapshot >"$memory/before"

step "install"
quietly within apt-get install -y /glimpse.deb
grep -q '^0 upgraded, 1 newly installed' "$log" || fail "more than glimpse was installed: $(grep 'newly installed' "$log")"

# --- what a user does -------------------------------------------------------------------------------------------------

# expect WHAT WANTED GOT
expect() { [ "$2" = "$3" ] || fail "$1: expected '$2', got '$3'"; }

version=$(dpkg-deb --field "$deb" Version)
expect "glimpse --version" "glimpse ${version%%[-+~]*}" "$(within glimpse --version)"
within test -s /usr/share/man/man1/glimpse.1.gz || fail "no man page"
expect "completion of --source" --source "$(within bash -c '. /usr/share/bash-completion/completions/glimpse
  COMP_WORDS=(glimpse run --so) COMP_CWORD=2; _glimpse glimpse --so run; echo "${COMPREPLY[@]}"')"
expect "completion of --model" demo "$(within bash -c '. /usr/share/bash-completion/completions/glimpse
  COMP_WORDS=(glimpse run --model dem) COMP_CWORD=3; _glimpse glimpse dem --model; echo "${COMPREPLY[@]}"')"

configuration=$root/etc/glimpse/glimpse.json
expect "who may read glimpse.json" "root:glimpse -rw-r-----" "$(within stat -c "%U:%G %A" /etc/glimpse/glimpse.json)"
expect "where glimpse may write" "glimpse:glimpse drwx------" "$(within stat -c '%U:%G %A' /var/lib/glimpse)"
expect "groups of glimpse" "glimpse video" "$(within id -Gn glimpse | sed 's/ render//')"
links=$root/etc/systemd/system/multi-user.target.wants
[ ! -e "$links/glimpse.service" ] || fail "the service is enabled before anybody asked for it"

mkdir -p "$root/usr/local/share/glimpse/models"
cp -r "$root/usr/share/glimpse/models/demo" "$root/usr/local/share/glimpse/models/mine"
as_glimpse "glimpse run --source test --model mine --frames 3" >"$log" 2>&1 || fail "--model mine: $(cat "$log")"
grep -q /usr/local/share/glimpse/models/mine "$log" || fail "another model than mine: $(cat "$log")"
rm -r "$root/usr/local/share/glimpse"

for form in "" --quantized; do
  step "run $form"
  as_glimpse "glimpse run --source /usr/share/glimpse/demo.mp4 --frames 100 --interval 0 --json $form" >"$log" 2>"$log.err" ||
    { cat "$log.err" >&2; fail "glimpse run $form"; }
  expect "records of 100 frames" 100 "$(grep -c '^{' "$log")"
  grep -q /usr/share/glimpse/models/demo "$log.err" || fail "another model: $(cat "$log.err")"
done
as_glimpse "glimpse run --config /etc/glimpse/glimpse.json --source test --frames 3" >"$log" 2>&1 || fail "$(cat "$log")"

# --- and later --------------------------------------------------------------------------------------------------------

step "upgrade: an edited configuration stays, also where the package brings another one"
cp "$root/etc/glimpse/glimpse.json" "$memory/shipped.json"
sed -i 's/"uri": "0"/"uri": "csi"/' "$configuration"
mine=$(sha256sum <"$configuration")
touch "$root/etc/glimpse/device.key" && within chown glimpse:glimpse /etc/glimpse/device.key
mkdir -p "$links" && ln -s /usr/lib/systemd/system/glimpse.service "$links/" # systemctl enable, which is not here
dpkg-deb --raw-extract "$deb" "$memory/next"
sed -i "s/^Version: .*/Version: $version+next/" "$memory/next/DEBIAN/control"
sed -i 's/"interval_s": 1/"interval_s": 2/' "$memory/next/etc/glimpse/glimpse.json"
quietly dpkg-deb --build --root-owner-group -Znone "$memory/next" "$root/next.deb"
keep_mine=(-o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold)
quietly within apt-get install -y "${keep_mine[@]}" /next.deb
expect "version after the upgrade" "$version+next" "$(within dpkg-query -W -f '${Version}' glimpse)"
expect "edited configuration" "$mine" "$(sha256sum <"$configuration")"
expect "its mode" "root:glimpse -rw-r-----" "$(within stat -c "%U:%G %A" /etc/glimpse/glimpse.json)"
rm -f "$configuration.dpkg-dist"
[ -L "$links/glimpse.service" ] || fail "the upgrade disabled the service"

step "remove: configuration, state and user stay"
quietly within apt-get remove -y glimpse
expect "edited configuration" "$mine" "$(sha256sum <"$configuration")"
[ -d "$root/var/lib/glimpse" ] && within id glimpse >/dev/null || fail "removing took the state or the user"
within test ! -e /usr/share/glimpse || fail "removing left /usr/share/glimpse"

step "install again, over what stayed"
quietly within apt-get install -y "${keep_mine[@]}" /glimpse.deb
expect "edited configuration" "$mine" "$(sha256sum <"$configuration")"
rm -f "$configuration.dpkg-dist"

step "purge: nothing stays but a key that was put there, and it is root's"
quietly within apt-get purge -y glimpse
expect "owner of the key" root:root "$(within stat -c %U:%G /etc/glimpse/device.key)"
rm -r "$root/etc/glimpse"
snapshot >"$memory/after"
diff "$memory/before" "$memory/after" | head -n 40 >&2 || fail "the package left traces: < before, > after"
step "done"
