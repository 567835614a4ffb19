#!/bin/sh
# Gatherer in one file. Unpacks itself once, into a folder named by the hash of its content, and becomes the
# program in there (exec): process id, signals and systemd's socket are the program's own. Unpack elsewhere: set
# XDG_CACHE_HOME to a folder from which programs may be run.
set -eu
cache="${CACHE_DIRECTORY:-${XDG_CACHE_HOME:-${HOME:-/var}/.cache}}/gatherer"
folder="$cache/@HASH@"

unpack() { # holding the lock: whatever is half unpacked was left by a start that was killed
    rm -rf "$cache"/unpacking.*
    fresh=$(mktemp -d "$cache/unpacking.XXXXXX")
    trap 'rm -rf "$fresh"' EXIT
    tail -n +@LINES@ "$0" >"$fresh/payload"
    echo "@SHA256@  $fresh/payload" | sha256sum --check --quiet --status ||
        { echo "gatherer: $0 is damaged or incomplete; copy it again" >&2; exit 78; }
    mkdir "$fresh/whole"
    tar -xzf "$fresh/payload" -C "$fresh/whole"
    sync -f "$fresh/whole" # a power cut must not leave a folder with this name and half the content
    mv -T "$fresh/whole" "$folder"
    for old in "$cache"/*; do # other versions, unless they run
        [ "$old" = "$folder" ] || readlink /proc/[0-9]*/exe 2>/dev/null | grep -qF "$old/" || rm -rf "$old"
    done
}

if [ ! -x "$folder/gatherer" ]; then
    (
        umask 077
        mkdir -p "$cache"
        [ -O "$cache" ] || { echo "gatherer: $cache belongs to another user; set XDG_CACHE_HOME" >&2; exit 78; }
        exec 9>"$cache/.lock"
        flock 9 # several first starts at once: one unpacks, the others find it done
        [ -x "$folder/gatherer" ] || unpack
    )
fi
# OpenSSL looks for certificates where Debian has them.
if [ ! -e /usr/lib/ssl/certs ] && [ -e /etc/pki/tls/certs/ca-bundle.crt ]; then
    export SSL_CERT_FILE="${SSL_CERT_FILE:-/etc/pki/tls/certs/ca-bundle.crt}"
fi
exec "$folder/gatherer" "$@"
