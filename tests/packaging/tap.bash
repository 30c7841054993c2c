# tap.bash - cases of a shell test. Sourced by one that has a folder $work for temporary files.

number=0

# check NAME COMMAND...: one case, which passes when the command succeeds.
check() {
  local name=$1
  shift
  number=$((number + 1))
  if "$@" >"$work/log" 2>&1; then
    echo "ok $number $name"
  else
    sed 's/^/# /' "$work/log"
    echo "not ok $number $name"
  fi
}
