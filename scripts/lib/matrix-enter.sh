#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# matrix-enter.sh ROOT host|loopback command... - started by scripts/test-matrix through unshare: runs
# the command in the Debian under ROOT. What is mounted here lies in this process's own mount
# namespace, so it is gone with it. This stays the first process of the pid namespace: it is the one
# that collects what others leave, which the command need not know how to do.
#
# With host, what the host knows of proxies and certificates is in $MATRIX_HOST, a folder.
set -euo pipefail
root=$1
network=$2
shift 2

mount_devices() {
    local name
    mount -t tmpfs -o mode=755,nosuid dev "$root/dev"
    for name in null zero full random urandom tty; do
        : > "$root/dev/$name"
        mount --bind "/dev/$name" "$root/dev/$name"
    done
    mkdir "$root/dev/pts" "$root/dev/shm"
    mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$root/dev/pts"
    mount -t tmpfs -o mode=1777,nosuid,nodev shm "$root/dev/shm"
    ln -s pts/ptmx "$root/dev/ptmx"
    ln -s /proc/self/fd "$root/dev/fd"
    for name in 0:stdin 1:stdout 2:stderr; do
        ln -s "/proc/self/fd/${name%:*}" "$root/dev/${name#*:}"
    done
}

# What runs there may make namespaces of its own only if its root is a mount: tests of the package do.
mount_all() {
    mount --bind "$root" "$root"
    mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
    mount -t sysfs -o ro,nosuid,nodev,noexec sysfs "$root/sys"
    mount -t tmpfs -o mode=755,nosuid,nodev run "$root/run"
    mount -t tmpfs -o mode=1777,nosuid,nodev tmp "$root/tmp"
    mount_devices
}

# The host's way out: its name servers, and the folder above at a place of the same name everywhere.
mount_host() {
    mkdir "$root/run/matrix" "$root/run/lock"
    mount --bind -o ro "$MATRIX_HOST" "$root/run/matrix"
    : >> "$root/etc/resolv.conf"
    mount --bind "$(realpath /etc/resolv.conf)" "$root/etc/resolv.conf"
}

variables=(PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
    "TERM=${TERM:-dumb}")
[ -z "${CMAKE_BUILD_PARALLEL_LEVEL:-}" ] ||
    variables+=("CMAKE_BUILD_PARALLEL_LEVEL=$CMAKE_BUILD_PARALLEL_LEVEL")

mount_all
if [ "$network" = host ]; then
    mount_host
    mapfile -d '' -t -O "${#variables[@]}" variables < "$MATRIX_HOST/environment"
else
    ip link set lo up
fi
# A command started in the background, as this was, would not end by Ctrl-C.
result=0
chroot "$root" /usr/bin/env -i --default-signal=INT,QUIT --chdir=/srv/invigilator \
    "${variables[@]}" "$@" || result=$?
exit "$result"
