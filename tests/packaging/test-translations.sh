#!/usr/bin/env bash
# test-translations.sh PROGRAM|--complete - every source file with translatable words is listed,
# and every language that is offered is well formed and spoken by clew-app (PROGRAM); or, with
# --complete, every language says everything the sources say.
# TAP; wants gettext's msgfmt, xgettext and msgcmp.
set -u
root=${CLEW_SOURCE_ROOT:?run the tests through meson}
po=$root/data/po
program=$(realpath "${1:?}" 2>/dev/null)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
source "$root/tests/packaging/tap.bash"
cd "$root" || exit 1

# Words are marked in the C sources of the window and of pictures, nowhere else.
marked() {
  grep -rlE --include='*.[ch]' '\b(_|N_|C_|NC_|ngettext|g_dngettext|g_dpgettext2?)\("' app ui
}
listed() {
  grep -E '\.[ch]$' data/po/POTFILES
}
all_are_listed() {
  [ -n "$(marked)" ] && diff <(marked | sort) <(listed | sort)
}
is_well_formed() {
  msgfmt --check --check-accelerators=_ -o "$work/$1.mo" "$po/$1.po" && [ -s "$work/$1.mo" ]
}
extract() {
  xgettext --from-code=UTF-8 --keyword=_ --keyword=N_ --keyword=C_:1c,2 --keyword=NC_:1c,2 \
    --keyword=ngettext:1,2 --keyword=g_dngettext:2,3 --files-from="$po/POTFILES" \
    --output="$work/clew.pot"
}
# The program finds its words in the build folder.
is_spoken() {
  LC_ALL=C.UTF-8 LANGUAGE=de "$program" --help | grep -q 'Zeigt Attributionsgraphen'
}
is_complete() {
  extract && msgcmp "$po/$1.po" "$work/clew.pot"
}

read -ra languages <<<"$(grep -v '^#' "$po/LINGUAS" | tr '\n' ' ')"
if [ "${1:-}" = --complete ]; then
  echo "1..${#languages[@]}"
  for language in "${languages[@]}"; do
    check "/translations/$language/is-complete" is_complete "$language"
  done
else

  echo "1..$((2 + ${#languages[@]}))"
  check /translations/all-sources-are-listed all_are_listed
  for language in "${languages[@]}"; do
    check "/translations/$language/is-well-formed" is_well_formed "$language"
  done
  check /translations/de/is-spoken is_spoken
fi
exit 0
