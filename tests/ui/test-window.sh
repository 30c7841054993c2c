#!/usr/bin/env bash
# test-window.sh - the real window on a sample and on foreign graphs: it stays up with criticals
# fatal, and what is on the screen is a picture, not an empty window. TAP; wants an X display
# (packaging/check starts Xvfb) and ImageMagick's import.
set -u
app=$1
root=${CLEW_SOURCE_ROOT:?run the tests through meson}
graphs=("$root"/data/samples/*.clew "$CLEW_TEST_SHARED"/graphs/*.json)
screenshots=$(mktemp -d)
trap 'rm -rf "$screenshots"' EXIT

if [ -z "${DISPLAY:-}" ] || ! command -v import >/dev/null; then
  echo "1..0 # SKIP no X display or no ImageMagick"
  exit 0
fi

echo "1..${#graphs[@]}"
number=0
for graph in "${graphs[@]}"; do
  number=$((number + 1))
  name="/ui/window/$(basename "$graph")"
  if [ ! -e "$graph" ]; then
    echo "ok $number $name # SKIP not on this machine"
    continue
  fi
  G_DEBUG=fatal-criticals GSK_RENDERER=cairo GTK_A11Y=none XDG_CONFIG_HOME=$screenshots \
    "$app" "$graph" >"$screenshots/log" 2>&1 &
  pid=$!
  colours=0
  for _ in $(seq 1 60); do
    sleep 0.5
    kill -0 "$pid" 2>/dev/null || break
    import -window root "$screenshots/shot.png" 2>/dev/null || continue
    colours=$(identify -format '%k' "$screenshots/shot.png" 2>/dev/null || echo 0)
    # A window without a graph has a few dozen colours, the edge mass alone gives hundreds.
    [ "${colours:-0}" -gt 150 ] && break
  done
  if kill -0 "$pid" 2>/dev/null && [ "${colours:-0}" -gt 150 ]; then
    echo "ok $number $name"
  else
    echo "# $colours colours on the screen; the program said:"
    sed 's/^/# /' "$screenshots/log"
    echo "not ok $number $name"
  fi
  kill "$pid" 2>/dev/null
  wait "$pid" 2>/dev/null
done
exit 0
