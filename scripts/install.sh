#!/bin/sh
# Make a virtual environment and install the project, pinned, without CUDA.  Usage: install.sh PYTHON VENV
set -eu
python=$1
venv=$2

# 1. Debian packages that Qt, OpenGL and Open3D load at run time (and Xvfb, for the one test that uses a screen).
packages="libgl1 libegl1 libgl1-mesa-dri libxkbcommon-x11-0 libxcb-icccm4 libxcb-keysyms1 libxcb-xinerama0
libxcb-image0 libxcb-render-util0 libxcb-shape0 libusb-1.0-0 libgomp1 libdbus-1-3 libfontconfig1 xvfb xauth"
if command -v dpkg-query >/dev/null 2>&1; then
    missing=""
    for package in $packages; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q "ok installed" || missing="$missing $package"
    done
    if [ -n "$missing" ] && [ "$(id -u)" -eq 0 ]; then
        echo "installing Debian packages:$missing"
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
    elif [ -n "$missing" ]; then
        echo "Debian packages are missing. Run this, then make again:" >&2
        echo "    sudo apt-get install -y$missing" >&2
        exit 2
    fi
fi

# 2. The environment.
if ! command -v "$python" >/dev/null 2>&1; then
    echo "$python was not found; pybullet has wheels for Python 3.10 and 3.11 only. Try: make PYTHON=python3.10 …" >&2
    exit 2
fi
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
pip="$venv/bin/python -m pip --disable-pip-version-check"

# 3. torch without CUDA: look at what pip would take before it takes gigabytes.
if ! "$venv/bin/python" -c "import torch" >/dev/null 2>&1; then
    if $pip install --quiet --dry-run --report - -c constraints.txt torch 2>/dev/null | grep -q '"name": "nvidia'; then
        echo "pip would take torch's CUDA build (several GB). Point pip at PyTorch's CPU wheels and make again:" >&2
        echo "    PIP_EXTRA_INDEX_URL=<the CPU index that PyTorch's 'Start Locally' page names> make $*" >&2
        exit 2
    fi
fi

# 4. Everything else, as tested.
echo "installing Python packages into $venv (a few minutes the first time)"
$pip install --quiet -c constraints.txt -e '.[dev,mujoco,docs,examples]'
