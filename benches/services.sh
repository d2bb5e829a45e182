#!/usr/bin/env bash
# Key services behind a slow line (50 ms added to what a client sends), ksops and sops 3.13.3 in one run:
#   200 files for one Azure key: one ksops call against the loop that users of sops write   (goal: 30 times faster)
#   one file with 10 recipients of 5 kinds: against the slowest kind alone, and against sops (goal: the slowest, not the sum)
# Needs the rigs beside the project (KSOPS_RIGS), gpg, and sops in target/tools/bin; nothing else should be running.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
here=$PWD
rigs=${KSOPS_RIGS:-../shared/rigs}
tools=${KSOPS_TOOLS:-$here/target/tools}
ksops=${KSOPS_BIN:-${CARGO_TARGET_DIR:-$here/target}/release/ksops}
sops=${SOPS_3_13:-$tools/bin/sops}
work=$(mktemp -d)
proxy=
trap 'kill $proxy 2> /dev/null || true; rm -rf "$work"' EXIT

# The exports of a rig, but not its proxy and certificates, which belong to one program at a time.
exports() { "$rigs/$1/start.sh" 2> /dev/null | grep '^export '; }
eval "$(exports azure)"; azure_proxy=${HTTPS_PROXY##*:}; azure_ca=$SSL_CERT_FILE
eval "$(exports vault)"; eval "$(exports aws-kms)"
eval "$("$rigs/pgp/setup.sh" 2> /dev/null | grep '^export ')"
export AZURE_TENANT_ID=$RIG_AZURE_TENANT_ID AZURE_CLIENT_ID=$RIG_AZURE_CLIENT_ID AZURE_CLIENT_SECRET=$RIG_AZURE_CLIENT_SECRET
unset IDENTITY_ENDPOINT IDENTITY_HEADER
export SSL_CERT_FILE=$azure_ca XDG_CACHE_HOME=$work/cache
vault_port=$(sed 's,.*:\([0-9]*\).*,\1,' <<< "$VAULT_ADDR"); aws_port=${AWS_ENDPOINT_URL##*:}
python3 benches/slow_proxy.py 50 19101 "$azure_proxy" 19102 "$vault_port" 19103 "$aws_port" &
proxy=$!
sleep 0.5
slow() { HTTPS_PROXY=http://127.0.0.1:19101 AWS_ENDPOINT_URL=http://127.0.0.1:19103 AWS_ENDPOINT_URL_STS=http://127.0.0.1:19103 "$@"; }

# milliseconds COMMAND...
milliseconds() {
  local from; from=$(date +%s%N)
  "$@" > "$work/out" 2> "$work/err" || { cat "$work/err" >&2; exit 1; }
  echo $((($(date +%s%N) - from) / 1000000))
}
median() { printf '%s\n' "$@" | sort -n | sed -n "$((($# + 1) / 2))p"; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.1f", a / b }'; }

mkdir "$work/d"; cd "$work"
for number in $(seq 200); do printf 'password: secret-%s\n' "$number" > "d/$number.yaml"; done
printf 'creation_rules:\n  - azure_keyvault: %s\n' "$RIG_AZURE_KEY_URL" > .sops.yaml
HTTPS_PROXY=http://127.0.0.1:$azure_proxy "$ksops" encrypt -i -r d 2> /dev/null
loop() { for file in d/*.yaml; do "$sops" decrypt "$file" || return; done; }
ours=(); for _ in 1 2 3; do ours+=("$(milliseconds slow "$ksops" decrypt -r d)"); done
ours=$(median "${ours[@]}"); theirs=$(milliseconds slow loop)
echo "decrypt 200 files, one Azure key: ksops ${ours} ms, sops in a loop ${theirs} ms: $(ratio "$theirs" "$ours") times"

rm -f .sops.yaml
other=$(curl -sS --noproxy '*' -X POST "$RIG_AZURE_CONTROL/_rig/key?name=other" | python3 -c 'import json, sys; print(json.load(sys.stdin)["version"])')
vault=http://127.0.0.1:19102/v1
pgp=$RIG_PGP_RSA,$RIG_PGP_ECC
age=age1ycafsea3wy4fdxaku2yjvxpmp5k6ypp5d084p47w5g446f5pl5wqkjwq6d,age1t3drt553e46axv7x5vsqyyz9trm2g3v9yg9wkj70wjytaahatdzqpxyl27
declare -A flags=(
  [age]="--age $age" [pgp]="--pgp $pgp"
  [azure]="--azure-kv $RIG_AZURE_KEY_URL,${RIG_AZURE_KEY_URL%%/keys/*}/keys/other/$other"
  [vault]="--hc-vault-transit $vault/transit/keys/sops-key,$vault/teams/sre/transit/keys/sops-key"
  [aws]="--kms $RIG_AWS_KEY_ARN,$RIG_AWS_ALIAS_ARN"
)
printf 'a: b\n' > f.yaml
slowest=0 sum=0 all=
for kind in age pgp azure vault aws; do
  all+=" ${flags[$kind]}"
  times=(); for _ in 1 2 3; do times+=("$(milliseconds slow "$ksops" encrypt ${flags[$kind]} f.yaml)"); done
  time=$(median "${times[@]}"); sum=$((sum + time)); [ "$time" -gt "$slowest" ] && slowest=$time
  echo "encrypt for 2 recipients: $kind ${time} ms"
done
times=(); for _ in 1 2 3; do times+=("$(milliseconds slow "$ksops" encrypt $all f.yaml)"); done
ours=$(median "${times[@]}")
times=(); for _ in 1 2 3; do times+=("$(milliseconds slow "$sops" encrypt $all f.yaml)"); done
theirs=$(median "${times[@]}")
echo "encrypt for 10 recipients of 5 kinds: ksops ${ours} ms = $(ratio "$ours" "$slowest") times the slowest kind (sum ${sum} ms); sops ${theirs} ms: $(ratio "$theirs" "$ours") times"
