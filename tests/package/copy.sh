#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# copy.sh SOURCE DIR COMMAND... - runs the command in a copy of this system: what it writes is in
# memory, and gone with it. SOURCE and DIR are seen as they are. For unshare --mount --net --pid.
set -eu
source=$1
dir=$2
shift 2
at=/mnt

ip link set lo up
mount --make-rprivate /
mount -t tmpfs none "$at"
mkdir "$at/upper" "$at/work" "$at/root"
mount -t overlay none -o "lowerdir=/,upperdir=$at/upper,workdir=$at/work" "$at/root"
mount -t proc none "$at/root/proc"
mount --rbind /dev "$at/root/dev"
mount -t tmpfs none "$at/root/run"
for shared in "$source" "$dir"; do
    mkdir -p "$at/root/$shared"
    mount --rbind "$shared" "$at/root/$shared"
done
exec chroot "$at/root" "$@"
