#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The proof that nothing is needed but what tools/setup installs: a Debian 12 root with nothing in
# it, a fresh clone of the last commit, and the two commands of the README. Started by a person,
# as root; takes a quarter of an hour. No part of tools/test.
set -euo pipefail
tree=$(cd "$(dirname "$0")/../.." && pwd)

usage() {
    cat <<USAGE
usage: tests/system/bare_root.sh [--in DIR] [COMMAND...]

  --in DIR    makes the root in DIR and keeps it; one that is there already is used again, with a
              new clone. Without it: a new one under \${TMPDIR:-/tmp}, removed at the end
  COMMAND     what to run in the clone (default: tools/demo --for 20s, then tools/test)

Needs the packages debootstrap and git. Takes the Debian mirror, proxy and certificates that this
machine is configured with.
USAGE
}

root='' keep=''
case "${1:-}" in
--in)
    root=${2:?--in needs a directory} keep=yes
    shift 2
    ;;
-h | --help)
    usage
    exit 0
    ;;
esac
[ "$(id -u)" -eq 0 ] || {
    echo "bare_root: needs root, to make a root directory and change into it" >&2
    exit 1
}

say() { printf '\nbare_root: %s\n' "$*" >&2; }

# What apt has configured for this release, as lines of a sources.list.
sources() {
    apt-get indextargets --format 'deb $(SITE) $(RELEASE) $(COMPONENT)' 'Identifier: Packages' |
        awk '$3 ~ /^bookworm(-updates|-security)?$/ && $4 == "main"' | sort -u
}

make_root() {
    local mirror extra=()
    mirror=$(sources | awk '$3 == "bookworm" { print $2; exit }')
    [ -n "$mirror" ] || {
        echo "bare_root: apt names no mirror of bookworm; run apt-get update" >&2
        exit 1
    }
    # apt itself needs them before tools/setup has had its turn.
    [[ $mirror != https:* ]] || extra=(--include=ca-certificates)
    debootstrap --variant=minbase "${extra[@]}" bookworm "$root" "$mirror"
}

# How this machine reaches its mirror: without it nothing could be installed at all.
copy_configuration() {
    sources >"$root/etc/apt/sources.list"
    apt-config dump | grep -E '^Acquire::(http|https|Check|Retries|ForceIPv)[^ ]* "' \
        >"$root/etc/apt/apt.conf.d/99machine" || true
    cp /etc/resolv.conf /etc/hosts "$root/etc/"
    mkdir -p "$root/usr/local/share/ca-certificates"
    cp /usr/local/share/ca-certificates/*.crt "$root/usr/local/share/ca-certificates/" \
        2>/dev/null || true
    if [ -e "${HOME:-/root}/.m2/settings.xml" ]; then
        install -D "${HOME:-/root}/.m2/settings.xml" "$root/root/.m2/settings.xml"
    fi
}

# inside COMMAND...: in the root, with mounts and processes of its own that end with it.
inside() {
    # shellcheck disable=SC2016
    unshare --mount --pid --fork --kill-child sh -c '
        root=$1
        shift
        mount --bind /dev "$root/dev"
        mount -t tmpfs tmpfs "$root/dev/shm" 2>/dev/null || true
        exec chroot "$root" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
            ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} \
            ${no_proxy:+no_proxy="$no_proxy"} sh -c "
                mountpoint -q /proc || mount -t proc proc /proc
                cd /tidewatch && exec \"\$@\"" - "$@"' - "$root" "$@"
}

if [ -z "$root" ]; then
    root=$(mktemp -d "${TMPDIR:-/tmp}/tidewatch-root.XXXXXX")
fi
[ -n "$keep" ] || trap 'rm -rf --one-file-system "$root"' EXIT
if [ ! -e "$root/etc/debian_version" ]; then
    say "making a bare root in $root"
    make_root
fi
copy_configuration
rm -rf --one-file-system "$root/tidewatch"
git -c safe.directory="$tree" clone --quiet "$tree" "$root/tidewatch"

run() {
    local began=$SECONDS rc=0
    say "$*"
    inside "$@" || rc=$?
    say "$* ended with $rc after $((SECONDS - began)) s"
    return "$rc"
}
if [ $# -gt 0 ]; then
    run "$@"
else
    run tools/demo --for 20s
    run tools/test
fi
