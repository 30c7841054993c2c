#!/usr/bin/env bash
# test-install.sh BUILD_FOLDER - what `meson install` puts into a stage: every file is there, is
# valid to the desktop's own checkers, does what it is for, and nothing of the machine changes.
# TAP; wants desktop-file-utils, appstream, shared-mime-info, xmllint and gio.
set -u
root=${CLEW_SOURCE_ROOT:?run the tests through meson}
build=$(realpath "$1")
id=io.github.clew_circuits.Clew
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
source "$root/tests/packaging/tap.bash"

stages() {
  DESTDIR=$work/stage meson install -C "$build" --no-rebuild --quiet || return 1
  share=$(dirname "$(dirname "$(find "$work/stage" -name "$id.desktop")")")
  bin=$(dirname "$(find "$work/stage" -path '*/bin/clew-app')")
  [ -n "$share" ] && [ -n "$bin" ]
}

has_every_file() {
  local file
  for file in "applications/$id.desktop" "metainfo/$id.metainfo.xml" \
    "mime/packages/$id.xml" "dbus-1/services/$id.service" \
    "glib-2.0/schemas/$id.gschema.xml" "icons/hicolor/scalable/apps/$id.svg" \
    "icons/hicolor/symbolic/apps/$id-symbolic.svg" \
    icons/hicolor/scalable/mimetypes/application-x-clew-graph.svg \
    locale/de/LC_MESSAGES/clew.mo clew/samples/capital-of-france.clew \
    clew/smollm2-clt/transcoder.safetensors bash-completion/completions/clew; do
    [ -s "$share/$file" ] || { echo "$file is missing" && return 1; }
  done
}

# No index is made in a stage: that is for whoever unpacks the package.
makes_no_index() {
  [ -z "$(find "$work/stage" -name gschemas.compiled -o -name mimeinfo.cache \
    -o -name icon-theme.cache -o -name mime.cache)" ]
}

has_translated_desktop_file() {
  desktop-file-validate "$share/applications/$id.desktop" &&
    grep -q '^Comment\[de\]=.' "$share/applications/$id.desktop"
}

has_translated_metainfo() {
  appstreamcli validate --no-net "$share/metainfo/$id.metainfo.xml" &&
    grep -q '<summary xml:lang="de">' "$share/metainfo/$id.metainfo.xml"
}

# Icons are square, and the symbolic one has nothing but fills: a stroke would be filled too.
has_good_icons() {
  local icon
  for icon in "$share"/icons/hicolor/*/*/*.svg; do
    [ "$(xmllint --xpath 'string(/*/@width)' "$icon")" = \
      "$(xmllint --xpath 'string(/*/@height)' "$icon")" ] || return 1
  done
  ! grep -q 'stroke[-a-z]*=' "$share/icons/hicolor/symbolic/apps/$id-symbolic.svg"
}

content_type() {
  XDG_DATA_HOME=$work/empty XDG_DATA_DIRS=$share:/usr/share \
    gio info -a standard::content-type "$1" | sed -n 's/.*content-type: //p'
}

# By its name, and by its first bytes where it has another name.
knows_documents() {
  xmllint --noout "$share/mime/packages/$id.xml" && update-mime-database "$share/mime" &&
    cp "$root/data/samples/capital-of-france.clew" "$work/nameless" &&
    [ "$(content_type "$work/nameless")" = application/x-clew-graph ] &&
    [ "$(content_type "$root/data/samples/capital-of-france.clew")" = application/x-clew-graph ]
}

has_valid_schema() {
  glib-compile-schemas --strict "$share/glib-2.0/schemas" &&
    gsettings --schemadir "$share/glib-2.0/schemas" get "$id" batch-size | grep -qx 256
}

# The service starts the program where it will be installed.
has_service() {
  local program
  program=$(sed -n 's/^Exec=\([^ ]*\) --gapplication-service$/\1/p' \
    "$share/dbus-1/services/$id.service")
  [ -x "$work/stage$program" ] && grep -qx "Name=$id" "$share/dbus-1/services/$id.service"
}

# Programs find their data and their words from where they lie.
runs() {
  "$bin/clew" help && "$bin/clew-app" --version &&
    LC_ALL=C.UTF-8 LANGUAGE=de "$bin/clew-app" --help | grep -q 'Zeigt Attributionsgraphen'
}

echo 1..10
check /install/stages stages
check /install/has-every-file has_every_file
check /install/makes-no-index makes_no_index
check /install/desktop-file has_translated_desktop_file
check /install/metainfo has_translated_metainfo
check /install/icons has_good_icons
check /install/knows-documents knows_documents
check /install/schema has_valid_schema
check /install/service has_service
check /install/runs runs
exit 0
