#!/usr/bin/env bash
# Installs the Debian 12 packages that building and testing Milena needs, if any of them is missing.
set -euo pipefail

packages=(
  clang-19 clang-format-19 clang-tidy-19 lld-19 libclang-rt-19-dev llvm-19
  cmake ninja-build ccache pkg-config git python3
  libboost1.81-dev libboost-system1.81-dev libboost-json1.81-dev
  libfmt-dev libspdlog-dev libcli11-dev
  libgtest-dev libgmock-dev libbenchmark-dev
  libisal-dev libzstd-dev liblz4-dev libsnappy-dev zlib1g-dev libre2-dev libxxhash-dev
  kcat valgrind strace
)

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

echo "installing: ${missing[*]}" >&2
sudo=
[ "$(id -u)" -eq 0 ] || sudo=sudo
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -qq
$sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
