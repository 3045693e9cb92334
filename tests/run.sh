#!/bin/sh
# Checks format, lint, types and docs, runs all tests, closes with the line "N passed, N failed".
# usage: sh tests/run.sh DENO [arguments of deno test]
set -u
deno=$1
shift
# The same steps as `deno task ok`; a failure of the first four counts as one failed test.
checks=0
"$deno" fmt --check && "$deno" lint && "$deno" check && "$deno" doc --lint mod.ts ops/mod.ts models/mod.ts vis/mod.ts >/dev/null || checks=1

log=$(mktemp)
trap 'rm -f "$log"' EXIT
# Two files at a time: while one compiles on one core, another computes. Each has a device of its own,
# so more at a time take memory rather than less time.
: "${DENO_JOBS:=2}"
export DENO_JOBS
# tee hides the exit code, so it goes through a file.
# All rights, because Playwright looks into /proc/sys; what the program may do is a test of its own.
{ "$deno" test -A --no-check --doc --parallel "$@" 2>&1; echo $? >"$log.rc"; } | tee "$log"
rc=$(cat "$log.rc")
rm -f "$log.rc"
# Deno's own closing line: "ok | 12 passed (3 steps) | 0 failed | 1 ignored (2s)", maybe in colour.
plain=$(sed 's/\x1b\[[0-9;]*m//g' "$log" | grep -E '^(ok|FAILED) \| ' | tail -n 1)
passed=$(printf '%s' "$plain" | sed -n 's/.*| \([0-9]*\) passed.*/\1/p')
failed=$(printf '%s' "$plain" | sed -n 's/.*| \([0-9]*\) failed.*/\1/p')
if [ -z "$passed" ] || [ "$passed" = 0 ]; then
  echo "no test ran"
  exit 1
fi
ignored=$(printf '%s' "$plain" | sed -n 's/.*| \([0-9]*\) ignored.*/\1/p')
[ "$checks" = 0 ] || echo "format, lint, types or docs failed: see the top"
echo "$passed passed, $((${failed:-0} + checks)) failed${ignored:+, $ignored skipped}"
[ "$checks" = 0 ] && exit "$rc"
exit 1
