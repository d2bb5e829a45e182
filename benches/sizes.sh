#!/usr/bin/env bash
# Prints size and number of crates of release builds: everything, age with Azure, and each key service alone.
# Goals: everything at most 30 MB, age with Azure at most 10 MB. sops 3.13.3 is shown beside, if it is there.
# usage: benches/sizes.sh [FEATURES...]   default: all of them, which takes a while
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
target=${CARGO_TARGET_DIR:-target}/sizes
builds=("$@")
[ ${#builds[@]} -gt 0 ] || builds=(default age,azure-kv age azure-kv pgp vault aws-kms gcp-kms huawei-kms keyservice none)

row() { printf '| %-14s | %7s | %6s |\n' "$@"; }
megabytes() { awk -v bytes="$(stat -c %s "$1")" 'BEGIN { printf "%.1f MB", bytes / 1e6 }'; }

row features size crates
row --- --- ---
for build in "${builds[@]}"; do
  case $build in
    default) flags=() ;;
    none) flags=(--no-default-features) ;;
    *) flags=(--no-default-features --features "$build") ;;
  esac
  cargo build --release --locked --quiet -p ksops-cli "${flags[@]}" --target-dir "$target"
  crates=$(cargo tree --locked -p ksops-cli "${flags[@]}" -e normal --prefix none | awk '{ print $1, $2 }' | sort -u | wc -l)
  row "$build" "$(megabytes "$target/release/ksops")" "$crates"
done
sops=${SOPS_3_13:-${KSOPS_TOOLS:-target/tools}/bin/sops}
if [ -x "$sops" ]; then row "sops 3.13.3" "$(megabytes "$(readlink -f "$sops")")" ""; fi
