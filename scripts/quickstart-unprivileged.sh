#!/usr/bin/env bash
# Runs the quickstart as an ordinary user of its own, who may read the programs that are built and write nowhere but at
# home; the user is removed afterwards. Whoever is no root runs it as the user that they are.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/tools.sh
source scripts/tools.sh

components=(--component configuration --component accounts --component packages)
work=$(mktemp -d)
user=''

clean_up() {
    rm -rf "$work"
    if [[ -n $user ]]; then userdel "$user"; fi
}
trap clean_up EXIT

if ((EUID != 0)); then
    scripts/quickstart.sh --folder "$work/quickstart" "${components[@]}" --stop
    exit
fi

# What a person finds who was given a checkout to read: the scripts, and the programs in their place.
checkout=$work/checkout
mkdir -p "$checkout/target/release" "$work/home"
cp -r scripts Cargo.toml "$checkout"
cp "$(built_folder)"/stateward "$(built_folder)"/stateward-vault "$checkout/target/release"
chmod -R go+rX "$work"
name=stateward-test-$$
useradd --system --no-create-home --home-dir "$work/home" --shell /usr/sbin/nologin "$name"
user=$name
chown "$user" "$work/home"

as_user() {
    setpriv --reuid "$user" --regid "$(id -g "$user")" --clear-groups --no-new-privs \
        env -i HOME="$work/home" USER="$user" PATH=/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8 "$@"
}

as_user "$checkout/scripts/quickstart.sh" "${components[@]}" --stop
results=$work/home/.stateward/results
for job in first restore; do
    status=$(jq -r 'select(.type == "result") | .status' "$results/$job.jsonl" | tail -n 1)
    [[ $status == CompletedWithWarnings ]] \
        || fail "The $job of an ordinary user ended as \`$status\`" 'It can neither read nor give back everything, and must say so'
done
# Named one by one, each with its reason.
names() { jq --exit-status --null-input "any(inputs; .type == \"warning\" and $2)" "$results/$1.jsonl" >/dev/null; }
names first '.path == "/etc/shadow" and (.message | length) > 0' \
    || fail 'What may not be read is not named' "See \`$results/first.jsonl\`"
names restore '.code == "owner-not-restored" and (.path | length) > 0' \
    || fail 'Owners that could not be given back are not named' "See \`$results/restore.jsonl\`"
as_user "$checkout/scripts/quickstart.sh" --clean
[[ ! -e $work/home/.stateward ]] || fail 'The quickstart left something behind' "$(ls -A "$work/home/.stateward")"
say 'The quickstart works for an ordinary user.'
