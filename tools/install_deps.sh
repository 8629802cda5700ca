#!/usr/bin/env bash
# install_deps.sh [run|test]...: installs the Debian 12 packages that are missing, of the lists named (all of them):
#   run    what building and running the broker takes
#   test   what tests, checks, sanitizers, fuzzing and measurements take besides
# install_deps.sh --list run|test prints a list. tools/check_packages.py holds the lists against the sources.
set -euo pipefail

run=(
  clang-19 lld-19 cmake ninja-build ccache python3
  libboost1.81-dev libboost-json1.81-dev libfmt-dev libspdlog-dev libcli11-dev
  prometheus-cpp-dev
  libisal-dev libzstd-dev liblz4-dev libsnappy-dev zlib1g-dev libre2-dev libxxhash-dev
  kcat
)
test=(
  clang-format-19 clang-tidy-19 libclang-rt-19-dev llvm-19 git
  libgtest-dev libgmock-dev libbenchmark-dev
  valgrind strace debootstrap mount e2fsprogs xfsprogs
)

if [ "${1:-}" = --list ]; then
  declare -n list=$2
  printf '%s\n' "${list[@]}"
  exit
fi

[ $# -gt 0 ] || set -- run test
missing=()
for name; do
  declare -n list=$name
  for package in "${list[@]}"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
done
[ ${#missing[@]} -eq 0 ] && exit 0

echo "installing (a few minutes on a new machine): ${missing[*]}" >&2
sudo=
[ "$(id -u)" -eq 0 ] || sudo=sudo
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -qq
$sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
