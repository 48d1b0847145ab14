#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A new user's machine: a bare Debian 12 root in a folder, a fresh clone of this repository in it,
# the README's two commands. Shows what tools/setup forgets. Started by a person, as root; takes
# half an hour and 4 GB. Package servers are those of this machine; everything else is the root's.
set -euo pipefail
cd "$(dirname "$0")/../.."

usage() {
    cat <<USAGE
usage: tests/system/bare_root.sh DIR [COMMAND...]

  DIR      a folder that does not exist yet; it becomes the root, and stays for a look at it
  COMMAND  what is run in the clone instead of 'tools/demo --for 30s' and then 'tools/test'
USAGE
}
[ $# -gt 0 ] && [ "$1" != --help ] && [ "$1" != -h ] || {
    usage
    exit 2
}
root=$(realpath -m "$1")
shift
[ ! -e "$root" ] || {
    echo "$root is there already" >&2
    exit 2
}

debootstrap --variant=minbase bookworm "$root"
mounted=()
leave() {
    local at
    for at in "${mounted[@]}"; do umount -l "$root/$at" || true; done
}
trap leave EXIT
for at in proc sys dev dev/pts dev/shm; do
    mount --rbind --make-rslave "/$at" "$root/$at" 2>/dev/null || mount --bind "/$at" "$root/$at"
    mounted=("$at" "${mounted[@]}")
done

# How this machine reaches package servers: names, certificates, Maven's settings.
cp /etc/resolv.conf /etc/hosts "$root/etc/"
cp /etc/apt/apt.conf.d/*artifact* /etc/apt/apt.conf.d/*proxy* "$root/etc/apt/apt.conf.d/" 2>/dev/null || true
mkdir -p "$root/etc/ssl/certs" "$root/usr/local/share/ca-certificates" "$root/root/.m2"
cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
cp -L /usr/local/share/ca-certificates/*.crt "$root/usr/local/share/ca-certificates/" 2>/dev/null || true
cp "$HOME/.m2/settings.xml" "$root/root/.m2/" 2>/dev/null || true

git clone -q --no-hardlinks . "$root/root/tidewatch"
[ $# -gt 0 ] || set -- sh -c 'tools/demo --for 30s && tools/test'
run=(env -i HOME=/root TERM="${TERM:-dumb}" LANG=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin)
"${run[@]}" chroot "$root" sh -c 'cd /root/tidewatch && exec "$@"' sh "$@"
echo "bare root: all of it holds; what it made is in $root"
