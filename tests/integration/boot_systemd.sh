#!/usr/bin/env bash
# Boots this machine's systemd as process 1 of a namespace, over a copy of / that is thrown away: for test_systemd.py, as root.
# usage: boot_systemd.sh FOLDER; FOLDER/files is laid over /. The caller gives the mount, pid, ipc and uts namespaces.
set -euo pipefail
folder=$1
mount --make-rprivate /
mount -t tmpfs tmpfs "$folder"/layer
mkdir "$folder"/layer/{upper,work}
root=$folder/root
mount -t overlay overlay -o lowerdir=/,upperdir="$folder"/layer/upper,workdir="$folder"/layer/work "$root"
mountpoint -q "$root"

# A cgroup of its own as the root of the hierarchy, so that this systemd and the machine's do not meet.
mount -t tmpfs tmpfs "$root"/run
mkdir "$root"/run/cgroup
mount -t cgroup2 cgroup2 "$root"/run/cgroup
mkdir -p "$root"/run/cgroup/"$(basename "$folder")"
echo $$ >"$root"/run/cgroup/"$(basename "$folder")"/cgroup.procs
umount "$root"/run/cgroup

# Nothing is started that was not asked for.
rm -rf "$root"/{usr/lib,etc}/systemd/system/*.wants "$root"/etc/fstab
cp -a "$folder"/files/. "$root"/
id glimpse >/dev/null 2>&1 || chroot "$root" useradd --system --home-dir /var/lib/glimpse --shell /usr/sbin/nologin glimpse
mount -t proc proc "$root"/proc
mount -t sysfs sysfs "$root"/sys
mount --rbind /dev "$root"/dev
exec unshare --cgroup sh -c 'mount -t cgroup2 cgroup2 "$1"/sys/fs/cgroup && exec chroot "$1" env -i container=lxc \
  PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system --unit=test.target --show-status=no' - "$root"
