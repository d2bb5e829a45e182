#!/usr/bin/env bash
# The first minute: builds ksops, makes an age key if there is none, encrypts fixtures/quickstart/secret.yaml into
# secret.enc.yaml and shows it decrypting. Run it again at any time; it never overwrites a key.
#
# KSOPS_BIN         a ksops that is built already
# KSOPS_QUICKSTART  the file to write (default: secret.enc.yaml)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

secret=fixtures/quickstart/secret.yaml
out=${KSOPS_QUICKSTART:-secret.enc.yaml}
ksops=${KSOPS_BIN:-}
if [ -z "$ksops" ]; then
  echo "== building ksops (some minutes the first time)"
  cargo build --release --locked --package ksops-cli
  ksops=${CARGO_TARGET_DIR:-target}/release/ksops
fi

# The place where sops and ksops look for age keys without being told.
if [ -n "${XDG_CONFIG_HOME:-}" ]; then config=$XDG_CONFIG_HOME
elif [ "$(uname)" = Darwin ]; then config="$HOME/Library/Application Support"
else config=$HOME/.config; fi
keys=${SOPS_AGE_KEY_FILE:-$config/sops/age/keys.txt}
if [ -e "$keys" ]; then
  echo "== your age key: $keys"
else
  echo "== making an age key: $keys"
  "$ksops" keygen
fi
recipient=$(sed -n 's/^# public key: *//p' "$keys" | head -n 1)
if [ -z "$recipient" ]; then
  echo "$keys has no line '# public key: age1…'; add one (age-keygen -y prints the public key)" >&2
  exit 1
fi

echo "== encrypting $secret for $recipient into $out"
# First beside, then in place: a failure leaves no half of a file.
"$ksops" encrypt --age "$recipient" --encrypted-regex '^(data|stringData)$' "$secret" > "$out.new"
mv "$out.new" "$out"
cat "$out"

echo "== decrypting $out"
"$ksops" decrypt "$out"
