#!/bin/sh
# Everything a fresh machine needs, then the program:
#
#   sh run.sh demo        the whole method on built-in images, pictures in generated/demo/
#   sh run.sh test        all tests, those in a browser too where Chromium is
#   sh run.sh ANYTHING    the command line program, e.g. sh run.sh visualize --help
#
# Needs node and npm (or Deno already installed). Fetches Deno from npm into .tools/ and, where no
# WebGPU adapter answers, Mesa's software Vulkan driver from Debian's packages: asked first when
# somebody sits there.
set -eu

root=$(cd "$(dirname "$0")" && pwd)
tools="$root/.tools"
lock="$root/scripts/deno"
DENO_VERSION=$(sed -n 's/.*"deno": "\([0-9.]*\)".*/\1/p' "$lock/package.json")

say() { printf '%s\n' "run.sh: $*" >&2; }

# Mesa complains when this is unset, though it has no use for it here.
: "${XDG_RUNTIME_DIR:=/tmp}"
export XDG_RUNTIME_DIR

# --- Deno ---------------------------------------------------------------------------------------
# One that is installed and not older will do; else the pinned one from npm.
new_enough() {
  have=$("$1" --version 2>/dev/null | sed -n '1s/^deno \([0-9.]*\).*/\1/p')
  [ -n "$have" ] && [ "$(printf '%s\n%s\n' "$DENO_VERSION" "$have" | sort -V | head -n 1)" = "$DENO_VERSION" ]
}
if new_enough deno; then
  deno=deno
else
  deno="$tools/node_modules/.bin/deno"
  if ! new_enough "$deno"; then
    if ! command -v npm >/dev/null 2>&1; then
      say "needs Deno $DENO_VERSION, or npm to fetch it; on Debian: apt-get install npm"
      exit 1
    fi
    say "installing Deno $DENO_VERSION from npm into .tools/, checked by scripts/deno/package-lock.json"
    mkdir -p "$tools"
    cp "$lock/package.json" "$lock/package-lock.json" "$tools"
    npm ci --prefix "$tools" --no-audit --no-fund --loglevel=error >&2
  fi
fi

# --- a WebGPU adapter -----------------------------------------------------------------------------
has_adapter() {
  # Deno's exit code does not tell; a line on stdout does. A broken driver may crash: no adapter.
  # As the program looks for one.
  look='const { findAdapter } = await import("./kernels/runtime/device.ts"); console.log((await findAdapter()) ? "yes" : "no")'
  answer=$(cd "$root" && "$deno" eval "$look" 2>/dev/null) || true
  [ "$answer" = yes ]
}
if ! has_adapter; then
  if command -v apt-get >/dev/null 2>&1; then
    sudo=
    if [ "$(id -u)" != 0 ]; then
      if command -v sudo >/dev/null 2>&1; then
        sudo=sudo
      else
        say "no WebGPU adapter; as root run: apt-get install mesa-vulkan-drivers"
        exit 1
      fi
    fi
    say "no WebGPU adapter answers: installing Mesa's software Vulkan driver (mesa-vulkan-drivers)"
    if [ -t 0 ]; then
      printf 'run.sh: may apt-get do that? [y/N] ' >&2
      read -r answer
      case $answer in
        [yY]*) ;;
        *)
          say "nothing installed; without an adapter nothing can be computed"
          exit 1
          ;;
      esac
    fi
    $sudo apt-get update -qq >&2
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends mesa-vulkan-drivers >&2
    has_adapter || say "still no WebGPU adapter; the program will say so"
  else
    say "no WebGPU adapter; install a Vulkan driver (a GPU's, or Mesa's lavapipe)"
  fi
fi

# --- the page -------------------------------------------------------------------------------------
# Reports are made of it; it is bundled from web/ with packages from npm.
"$deno" run -A --config "$root/deno.json" "$root/scripts/web.ts" --if-needed >&2 ||
  say "the page could not be built; runs leave no report.html"

# --- the program ------------------------------------------------------------------------------------
if [ "${1:-}" = test ]; then
  shift
  cd "$root"
  exec sh tests/run.sh "$deno" "$@"
fi
# What the commands' --help names, for any folder; only weights fetch may ask the network, and only who
# serves a page may listen, on this machine's own address.
allow="--allow-read --allow-write --allow-env"
[ "${1:-} ${2:-}" = "weights fetch" ] && allow="$allow --allow-net"
serves=
for argument; do
  [ "$argument" = --serve ] && serves=yes
done
case "$serves${1:-}" in
  yes* | serve | web) allow="$allow --allow-net=127.0.0.1" ;;
esac
exec "$deno" run --no-prompt $allow --config "$root/deno.json" "$root/cli/main.ts" "$@"
