#!/usr/bin/env bash
# Runs the agent as a service of a real systemd: one that is booted in namespaces of its own, in a tree that debootstrap makes. There
# it is installed, registered, asked for a backup and a restore at the vault, stopped in the middle of a job, killed, and taken back; all
# under the unit as packages have it, with what the unit takes away. Then the package itself is installed, and a newer one over it
# while a backup runs. As root, and where a systemd can be booted so.
set -euo pipefail
export LC_ALL=C

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/tools.sh
source scripts/tools.sh

need_trees 'boot a systemd' nsenter=util-linux jq=jq rsync=rsync

bin=$(built_folder)
work=$(mktemp -d)
tree=$work/tree
booted=''
vault=''

finish() {
    local code=$?
    # The first process of its namespace: all others end with it.
    if [[ -n "$booted" ]]; then kill -KILL "$booted" 2>/dev/null || true; fi
    if [[ -n "$vault" ]]; then kill "$vault" 2>/dev/null || true; wait "$vault" 2>/dev/null || true; fi
    if ((code == 0)); then rm -rf "$work"; else say "What this run made is in $work"; fi
}
trap finish EXIT

say 'A tree with systemd'
make_tree "$tree" "$work/log" '' --include=systemd,systemd-sysv,dbus
cp "$bin/stateward" "$tree/usr/local/bin/"

# Mounts are those of the new namespace, and gone with it.
cat >"$work/boot" <<'EOF'
set -eu
tree=$1
mount --bind "$tree" "$tree"
mount -t proc proc "$tree/proc"
mount -t sysfs -o ro sysfs "$tree/sys"
mount -t tmpfs -o mode=755 tmpfs "$tree/sys/fs/cgroup"
mkdir "$tree/sys/fs/cgroup/systemd" "$tree/sys/fs/cgroup/unified"
mount -t cgroup -o none,name=systemd,xattr cgroup "$tree/sys/fs/cgroup/systemd"
mount -t cgroup2 cgroup2 "$tree/sys/fs/cgroup/unified"
for place in run tmp dev; do mount -t tmpfs -o mode=755 tmpfs "$tree/$place"; done
chmod 1777 "$tree/tmp"
mknod -m 666 "$tree/dev/null" c 1 3
mknod -m 666 "$tree/dev/zero" c 1 5
mknod -m 666 "$tree/dev/full" c 1 7
mknod -m 666 "$tree/dev/random" c 1 8
mknod -m 666 "$tree/dev/urandom" c 1 9
mknod -m 666 "$tree/dev/tty" c 5 0
ln -s /proc/self/fd "$tree/dev/fd"
mkdir "$tree/dev/pts" "$tree/dev/shm"
mount -t devpts devpts "$tree/dev/pts"
mount -t tmpfs tmpfs "$tree/dev/shm"
exec chroot "$tree" /usr/bin/env -i container=stateward-test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --system --unit=multi-user.target
EOF
unshare --mount --pid --uts --ipc --cgroup --fork --propagation private sh "$work/boot" "$tree" >"$work/boot.log" 2>&1 &
outside=$!

inside() {
    nsenter --target "$booted" --mount --pid --uts --ipc --root --wd /usr/bin/env -i \
        PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root "$@"
}

# wait_until SECONDS WHAT COMMAND…
wait_until() {
    local left=$(($1 * 5)) what=$2
    shift 2
    until "$@"; do
        if ((--left == 0)); then fail "$what did not come to pass"; fi
        sleep 0.2
    done
}

is_booted() {
    booted=$(ps -o pid= --ppid "$outside" | tr -d ' ')
    [[ -n "$booted" ]] && inside systemctl is-system-running 2>/dev/null | grep -q running
}
for _ in $(seq 150); do is_booted && break; kill -0 "$outside" 2>/dev/null || break; sleep 0.2; done
if ! is_booted; then
    booted=''
    say 'LEFT OUT: no systemd can be booted here' "$(tail -n 3 "$work/boot.log")"
    exit 0
fi

"$bin/stateward-vault" init --data "$work/vault" --listen 127.0.0.1:0 --json >"$work/init.json"
fact() { jq --raw-output ".$1" "$work/init.json"; }
"$bin/stateward-vault" serve --data "$work/vault" 2>"$work/vault.log" &
vault=$!
url=$(fact url)
wait_for_vault "${url#https://}" "$vault" || fail 'The vault does not listen' "$(tail -n 3 "$work/vault.log")"
cp "$(fact ca_file)" "$tree/srv/ca.pem"

# quiet COMMAND…: runs it inside, and says what it said only if it fails.
quiet() { inside "$@" >"$work/said" 2>&1 || fail "This failed: $*" "$(tail -n 5 "$work/said")"; }
unit() { inside systemctl show --property "$1" --value stateward.service; }
is_active() { [[ $(unit ActiveState) == "$1" ]]; }
job() { inside stateward job list --json | jq --raw-output "select(.job) | .$1" | head -n 1; }
is_job() { [[ $(job status) == "$1" ]]; }

say 'Install, register, start'
quiet stateward login --url "$url" --ca-file /srv/ca.pem --client-id "$(fact client_id)" \
    --client-secret "$(fact client_secret)"
quiet stateward vault create main
quiet stateward vault credentials main --out /srv/credentials
quiet stateward agent install
is_active inactive || fail 'The agent runs before there is anything to do' "$(unit ActiveState)"
quiet stateward register --credentials /srv/credentials --generate-passphrase --passphrase-out /srv/passphrase \
    --recovery-code-file /srv/code
quiet stateward agent start
is_active active || fail 'The agent is no running service' "$(unit ActiveState)"
quiet stateward protect system-state --component configuration --component accounts --component packages
quiet stateward schedule --policy nightly --times 02:00 --keep-days 30

say 'A backup that the vault asks for, and a stop in the middle of it'
quiet stateward settings set --limit-rate 2MB
quiet stateward item backup system-state --vault main
wait_until 60 'The backup' is_job Running
quiet stateward agent stop
is_active inactive || fail 'The agent was stopped, and runs' "$(unit ActiveState)"
wait_until 120 'The end of a backup whose agent was stopped' is_job Completed
quiet stateward settings set --limit-rate off
quiet stateward agent start

say 'A restore that the vault asks for'
inside mkdir /srv/restored
quiet stateward settings set --restore-root /srv/restored
point=$(inside stateward status --json | jq --raw-output 'select(.recovery_point) | .recovery_point')
quiet stateward recovery-point restore "$point" --vault main
is_restored() { [[ $(job kind) == Restore ]] && is_job Completed; }
wait_until 60 'The restore' is_restored
# Other components have the rest of /etc.
restored=$tree/srv/restored/$(job job)
[[ -e $restored/etc/shadow && -e $restored/var/lib/dpkg/status ]] || fail 'What was restored lacks files'
differs=$(rsync --archive --acls --xattrs --checksum --omit-dir-times --dry-run --itemize-changes "$restored/etc/" "$tree/etc/")
[[ -z $differs ]] || fail 'What was restored differs' "$differs"

say 'An agent that is killed comes back'
before=$(unit MainPID)
quiet sh -c "kill -KILL $before"
came_back() { [[ $(unit MainPID) != 0 && $(unit MainPID) != "$before" ]] && inside stateward agent status >/dev/null 2>&1; }
wait_until 60 'A killed agent that comes back' came_back

say 'Uninstall'
quiet stateward agent uninstall
[[ -z $(unit FragmentPath) ]] || fail 'The unit is still there' "$(unit FragmentPath)"
if inside stateward agent status >/dev/null 2>&1; then fail 'An agent runs though it was uninstalled'; fi
quiet stateward status

say 'The package, and a newer one over it while a backup runs'
rm "$tree/usr/local/bin/stateward"
for release in 1 2; do
    scripts/package.sh --release "$release" >"$work/said" 2>&1 || fail 'No packages can be made' "$(tail -n 5 "$work/said")"
    cp "${bin%/release}"/packages/stateward_*.deb "$tree/srv/$release.deb"
done
is_served() { is_active active && inside stateward agent status >/dev/null 2>&1; }
quiet dpkg --install /srv/1.deb
wait_until 60 'An agent that serves once its package is installed' is_served
mkdir "$tree/srv/data"
head --bytes=40000000 /dev/urandom >"$tree/srv/data/file"
quiet stateward protect files /srv/data --name data
quiet stateward settings set --limit-rate 2MB
quiet stateward item backup data --vault main
is_running() { [[ $(job item) == data ]] && is_job Running; }
wait_until 60 'A backup' is_running
before=$(unit MainPID)
running=$(job job)
quiet dpkg --install /srv/2.deb
wait_until 60 'An agent that comes back after an upgrade' came_back
release=$(inside dpkg-query --show --showformat="\${Version}" stateward)
[[ $release == *-2 ]] || fail 'It is not the newer package' "$release"
inside readlink "/proc/$(unit MainPID)/exe" | grep --quiet --invert-match deleted || fail 'The older agent runs on'
if [[ $(job job) != "$running" ]] || ! is_job Running; then fail 'The upgrade ended the backup' "$(job status)"; fi
wait_until 120 'The end of a backup during which the agent was upgraded' is_job Completed
quiet stateward settings set --limit-rate off
quiet stateward restore --recovery-point latest --item data --target /srv/back --wait
cmp "$tree/srv/data/file" "$tree/srv/back/srv/data/file" || fail 'What was restored differs'

say 'The same right after one was asked for: it is made, by whichever agent'
head --bytes=1000000 /dev/urandom >"$tree/srv/data/file"
points() { inside stateward recovery-point list --item data --json | grep --count '"recovery_point"'; }
before=$(unit MainPID)
quiet stateward item backup data --vault main
quiet dpkg --install /srv/1.deb
wait_until 60 'An agent that comes back after a downgrade' came_back
has_two() { [[ $(points) == 2 ]]; }
wait_until 120 'The backup that was asked for' has_two

say 'Purge'
quiet dpkg --purge stateward
if is_active active; then fail 'An agent runs though its package was removed'; fi
[[ -e $tree/var/lib/stateward/registration.json ]] || fail 'The home went with its package'
