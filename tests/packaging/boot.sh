#!/bin/sh
# Become a real systemd on a throw-away copy of this machine: its files under an overlay in memory, devices of its
# own, no network but loopback. For machine.py, which starts it as root in namespaces of its own.
set -eu
work="$1"
mount --make-rprivate /
mount -t tmpfs -o size=3g tmpfs "$work"
mkdir "$work/upper" "$work/work" "$work/root"
mount -t overlay -o "lowerdir=/,upperdir=$work/upper,workdir=$work/work" overlay "$work/root"
cd "$work/root"
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs tmp
mount -t tmpfs tmpfs dev # systemd puts links in here: not into ours
for node in null zero full random urandom tty; do
    : >"dev/$node"
    mount --bind "/dev/$node" "dev/$node"
done
mkdir dev/pts dev/shm run/old
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
# Not chroot: the kernel would refuse the user namespaces of PrivateUsers=.
pivot_root . run/old
umount -l /run/old
mount --make-rshared / # else the folders of credentials are empty
exec /lib/systemd/systemd --system --unit=basic.target --log-target=journal
