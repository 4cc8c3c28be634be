#!/usr/bin/env bash
# symbols.sh LEDGER SHARED STATIC: the shared library exports what the ledger says, no more and no less; the static one
# has that and names beginning with nats__.
set -euo pipefail
export LC_ALL=C

ledger=$1 shared=$2 static=$3
wanted=$(grep -v '^#' "$ledger" | cut -d' ' -f1 | sort)
# The symbol that names the version itself is absolute (A).
exported=$(nm -D --defined-only "$shared" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort)
inside=$(nm -g --defined-only "$static" | awk 'NF == 3 { print $3 }' | sort -u)
failed=0

differ() {
    local what=$1 names=$2
    if [[ -n $names ]]; then
        printf '%s:\n%s\n' "$what" "$names"
        failed=1
    fi
}

differ "in the ledger, not exported" "$(comm -23 <(echo "$wanted") <(echo "$exported"))"
differ "exported, not in the ledger" "$(comm -13 <(echo "$wanted") <(echo "$exported"))"
differ "in the ledger, not in the static library" "$(comm -23 <(echo "$wanted") <(echo "$inside"))"
differ "in the static library, neither in the ledger nor nats__…" \
    "$(comm -13 <(echo "$wanted") <(echo "$inside") | grep -v '^nats__' || true)"
echo "$(wc -l <<<"$exported") exported symbols, $(wc -l <<<"$wanted") in the ledger"
exit "$failed"
