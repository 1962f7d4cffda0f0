#!/bin/sh
# A trial on a fresh Debian or Ubuntu: from a clone to the window, a recording, its report and BIDS; prints the times.
#   sudo sh install/trial.sh bookworm    also trixie, jammy, noble; in /var/tmp/realtime-mood-RELEASE, which stays
# Needs debootstrap and the network; pip's and apt's settings of this computer are taken over.
set -eu
release=${1:-bookworm}
here=$(cd "$(dirname "$0")/.." && pwd)
root=/var/tmp/realtime-mood-$release
options="--variant=minbase --include=python3,python3-venv,make,git,ca-certificates" python=python3
case $release in
jammy) options="$options --components=main,universe" python=python3.11 ;;
noble) options="$options --components=main,universe" ;;
esac
script=/usr/share/debootstrap/scripts/$release
[ -e "$script" ] || script=/usr/share/debootstrap/scripts/jammy  # the same for all of Ubuntu's releases

# shellcheck disable=SC2086 # several words
[ -d "$root" ] || debootstrap $options "$release" "$root" "" "$script"
rm -rf "$root/srv/clone" "$root/home/lab"
git clone --quiet --bare "$here" "$root/srv/clone"
for file in /etc/resolv.conf /etc/hosts /etc/pip.conf; do [ ! -f "$file" ] || cp -L "$file" "$root$file"; done
cp /etc/apt/apt.conf.d/* "$root/etc/apt/apt.conf.d/"
id=$(chroot "$root" id -u lab 2>/dev/null) || { chroot "$root" useradd lab && id=$(chroot "$root" id -u lab); }
mkdir -p "$root/home/lab"
chown -R "$id" "$root/home/lab" "$root/srv/clone"

cat >"$root/srv/as-root.sh" <<'END'
mount -t proc proc /proc
mount -t tmpfs tmpfs /dev/shm 2>/dev/null || true
began=$(date +%s)
timed() { # what command…: its time, and the time since the beginning
    what=$1 start=$(date +%s) && shift
    "$@" >"/srv/$what.log" 2>&1 || { tail -n 20 "/srv/$what.log"; echo "failed: $what"; exit 1; }
    echo "$what: $(($(date +%s) - start)) s, $(($(date +%s) - began)) s since the beginning"
}
lab() { su lab -s /bin/sh -c "cd ~/realtime_mood && . /srv/settings && PATH=\$PWD/.venv/bin:\$PATH && $1"; }
timed clone su lab -s /bin/sh -c 'git clone --quiet /srv/clone ~/realtime_mood'
timed packages sh /home/lab/realtime_mood/install/debian.sh
timed setup lab "make setup PYTHON=$1"
timed help lab 'realtime-mood --help'
timed doctor lab 'realtime-mood doctor'
# The virtual display is not part of what a user does.
DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends xvfb x11-utils >/dev/null 2>&1
Xvfb :99 -screen 0 1280x720x24 -nolisten tcp -noreset >/dev/null 2>&1 &
display=$!
for start in first second; do
    lab 'echo $$ >~/pid; DISPLAY=:99 QT_QPA_PLATFORM=xcb exec realtime-mood run --source synthetic:// \
        --record ~/window.xdf' >/srv/window.log 2>&1 &
    timed "window-$start-start" timeout 120 sh -c \
        'until xwininfo -display :99 -name "Realtime mood"; do sleep 0.1; done'
    sleep 15
    kill "$(cat /home/lab/pid)" && wait $!
done
kill $display
timed report lab 'realtime-mood report ~/window.xdf --out ~/window.html'
timed replay lab 'realtime-mood replay ~/window.xdf'
timed bids lab 'realtime-mood export ~/window.xdf --bids ~/study --participant P1'
timed validator lab 'python -c "
from pathlib import Path
from bids_validator import BIDSValidator
root = Path.home() / \"study\"
files = [\"/\" + path.relative_to(root).as_posix() for path in root.rglob(\"*\") if path.is_file()]
assert files and all(map(BIDSValidator().is_bids, files)), files"'
timed menu lab 'realtime-mood menu-entry'
echo "all of it worked on $(. /etc/os-release; echo "$PRETTY_NAME"), $($1 --version)"
END
cp /etc/ssl/certs/ca-certificates.crt "$root/srv/ca.crt"  # with those of a proxy
{
    env | grep '^PIP_' | sed 's/^/export /' || true
    echo 'export PIP_CERT=/srv/ca.crt SSL_CERT_FILE=/srv/ca.crt'
} >"$root/srv/settings"
exec unshare --mount --pid --fork --kill-child chroot "$root" \
    /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 sh -eu /srv/as-root.sh "$python"
