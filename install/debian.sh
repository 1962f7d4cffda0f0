#!/bin/sh
# System packages for Debian 12 and Ubuntu 22.04 or later: Python, make, and what the window needs.
#   sudo sh install/debian.sh            all of it
#   sudo sh install/debian.sh --headless without the window
set -eu
packages="python3 python3-venv make git ca-certificates"
if grep -q 'VERSION_ID="22.04"' /etc/os-release; then
    packages="$packages python3.11 python3.11-venv"  # its python3 is 3.10: make PYTHON=python3.11
fi
if [ "${1:-}" != "--headless" ]; then
    # Qt's platform plugins; realtime_mood/gui/libraries.toml has the same libraries by name, and doctor checks them.
    packages="$packages libegl1 libgl1 libglib2.0-0 libdbus-1-3 libfontconfig1 libxcb-cursor0 libxcb-icccm4
        libxcb-keysyms1 libxcb-image0 libxcb-render-util0 libxcb-shape0 libxcb-xkb1 libxkbcommon-x11-0
        fonts-dejavu-core"
fi
apt-get update
# shellcheck disable=SC2086 # several words
DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends $packages
