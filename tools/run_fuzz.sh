#!/usr/bin/env bash
# run_fuzz.sh BUILD_DIR SECONDS [SEED]: runs every *_fuzz binary of the fuzz preset for SECONDS each, starting from
# its committed corpus. New inputs stay in the build folder; a crash leaves its input there and fails the run. With a
# seed (not 0) on a fresh build folder the inputs are the same every time.
set -uo pipefail
build=$1 seconds=$2 seed=${3:-0}
cd "$(dirname "$0")/.."
failed=0 passed=0
for binary in $(find "$build" -type f -name '*_fuzz' -perm -u+x | sort); do
  name=$(basename "$binary")
  corpus=$(find . -path ./build -prune -o -type d -path "*/corpus/$name" -print -quit)
  work=$build/corpus/$name
  mkdir -p "$work"
  echo "== $name for $seconds s"
  touch "$work.start"
  if "$binary" -max_total_time="$seconds" -seed="$seed" -rss_limit_mb=1024 -malloc_limit_mb=256 -timeout=20 \
      -print_final_stats=0 -verbosity=0 -artifact_prefix="$work/" "$work" ${corpus:+"$corpus"} >"$work.log" 2>&1; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    tail -n 40 "$work.log"
    find "$work" -newer "$work.start" \( -name 'crash-*' -o -name 'timeout-*' -o -name 'oom-*' \) |
      while read -r input; do echo "$input as base64: $(base64 -w0 "$input")"; done
  fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
