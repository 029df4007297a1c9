#!/usr/bin/env bash
# Builds the agent's MSI twice and compares, looks through its tables, and has Wine's Windows Installer install, upgrade, repair and
# remove it on a machine of its own, with a vault on this machine. What that shows of Windows, and what it doesn't, is told in
# docs/windows-verification.md. The programs are built already: scripts/test-windows.sh calls this.
set -euo pipefail
export LC_ALL=C.UTF-8 SOURCE_DATE_EPOCH=1700000000

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/tools.sh
source scripts/tools.sh
# shellcheck source=scripts/windows-target.sh
source scripts/windows-target.sh

wine=/usr/lib/wine/wine64
need_packages "$wine=wine64" python3=python3
bin=$(built_folder)
work=$(mktemp -d)
export WINEPREFIX="$work/machine" WINEDEBUG=-all WINEDLLOVERRIDES='mscoree=;mshtml=;winemenubuilder.exe='
unset DISPLAY
vault_pid=''
kept_pid=''

finish() {
    local code=$? pid
    # Its own processes only: those of this folder.
    /usr/lib/wine/wineserver64 -k >/dev/null 2>&1 || true
    for pid in $kept_pid $vault_pid; do kill "$pid" 2>/dev/null || true; done
    if ((code == 0)); then rm -rf "$work"; else say "What this run made is in $work"; fi
}
trap finish EXIT

quiet() { "$@" >"$work/said" 2>&1 </dev/null || fail "This failed: $*" "$(tail -n 5 "$work/said")"; }

say 'Packages: an older version, and this one twice'
mkdir "$work"/{old,new,again}
quiet scripts/package-msi.sh --built --version 0.0.1 --out "$work/old"
quiet scripts/package-msi.sh --built --release 2 --out "$work/new"
quiet scripts/package-msi.sh --built --release 2 --out "$work/again"
old=$(echo "$work"/old/*.msi)
new=$(echo "$work"/new/*.msi)
cmp "$new" "$work/again/${new##*/}" || fail 'A second build of the MSI differs from the first'
python3 scripts/msi-tables.py check "$new" packaging/windows/tables.txt
python3 scripts/msi-tables.py check "$old" packaging/windows/tables.txt

say 'A machine for Wine, and a vault'
quiet "$wine" wineboot -i
# A loaded machine starts a service later than in the ten seconds that Wine allows.
quiet "$wine" reg add 'HKLM\SYSTEM\CurrentControlSet\Control' /v ServicesPipeTimeout /t REG_DWORD /d 60000
quiet /usr/lib/wine/wineserver64 -k
# Services end with the last program that is none.
# shellcheck disable=SC2016 # the inner shell's
(sleep 600 | "$wine" cmd /k rem >/dev/null 2>&1) &
kept_pid=$!
serve_new_vault "$bin" "$work/vault" "$work"
admin=("$bin/stateward" --home "$work/admin")
quiet sign_in "$work" "${admin[@]}"
quiet "${admin[@]}" vault create main
quiet "${admin[@]}" vault credentials main --out "$work/credentials"
printf 'correct horse battery staple\n' >"$work/passphrase"

drive=$WINEPREFIX/drive_c
folder="$drive/Program Files/Stateward"
home=$drive/ProgramData/Stateward
windows() { printf 'Z:%s' "${1//\//\\}"; }

# msi well|ill ARGUMENT…: runs Windows Installer, which is to end so. How ill is not looked at: Wine gives a byte of the code, and
# often another code than Windows.
msi() {
    local ended=well
    "$wine" msiexec "${@:2}" /qn /l*v 'C:\installer.log' >"$work/said" 2>&1 </dev/null || ended=ill
    [[ $ended == "$1" ]] ||
        fail "msiexec ${*:2} ended $ended" "$(tr -d '\0' <"$drive/installer.log" | tail -n 20; tail -n 5 "$home"/logs/* 2>/dev/null)"
}
agent() { "$wine" "$folder/stateward.exe" "$@" </dev/null 2>>"$work/agent.err"; }
# registry KEY NAME: the value; nothing if there is none.
registry() {
    "$wine" reg query "$1" /v "$2" 2>/dev/null </dev/null | tr -d '\r' | sed -n 's/^ \+[^ ]\+ \+REG_[A-Z_]\+ *//p'
}
service() { registry 'HKLM\SYSTEM\CurrentControlSet\Services\Stateward' "$1"; }
# Without empty entries, which Wine leaves behind.
search_path() {
    registry 'HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment' PATH | sed 's/;;*/;/g; s/;$//'
}
# What Windows lists as installed: the versions of all that is called as the agent.
installed() {
    "$wine" reg query 'HKLM\Software\Microsoft\Windows\CurrentVersion\Uninstall' /s 2>/dev/null </dev/null | tr -d '\r' |
        awk '/^HKEY/ {version=""; name=""} /DisplayVersion/ {version=$3} /DisplayName .*Stateward agent/ {name=1}
            version != "" && name == 1 {print version; version=""; name=""}'
}
is_running() { "$wine" sc query Stateward </dev/null 2>/dev/null | grep -q RUNNING; }
answers() {
    for _ in {1..100}; do
        if agent --json agent status | grep -q '"state":"answers"'; then return; fi
        sleep 0.2
    done
    fail 'The service does not answer' "$(tail -n 3 "$work/agent.err" "$home"/logs/*)"
}
is_whole() {
    "$mingw-strip" --strip-debug -o "$work/expected.exe" "$windows_built/stateward.exe"
    cmp "$work/expected.exe" "$folder/stateward.exe" || fail 'What is installed is not the program that was built'
    for text in LICENSE-APACHE.txt LICENSE-MIT.txt CHANGELOG.md; do
        [[ -s $folder/$text ]] || fail "\`$text\` is not installed"
    done
}
is_gone() {
    [[ ! -e $folder ]] || fail 'The folder of the program is still there' "$(ls -A "$folder")"
    [[ -z $(service ImagePath) ]] || fail 'The service is still there'
    [[ -z $(installed) ]] || fail 'It is still listed as installed'
    [[ $(search_path) != *Stateward* ]] || fail 'The search path still leads to it' "$(search_path)"
    if find "$drive" -name 'Stateward console*' | grep .; then fail 'The start menu still has it'; fi
}
equal() { [[ $1 == "$2" ]] || fail "$3" "\`$1\` and not \`$2\`"; }

# shellcheck disable=SC1003 # Windows writes its folders so
line=("CREDENTIALS=$(windows "$work/credentials")" "PASSPHRASEFILE=$(windows "$work/passphrase")" 'CACHE=C:\A cache\' LABEL=web-01)

say 'Refused, with nothing changed'
before=$(search_path)
msi ill /i "$(windows "$new")" "CREDENTIALS=$(windows "$work/credentials")"
msi ill /i "$(windows "$new")" LABEL=web-01
is_gone
say 'A registration that fails takes everything back, and the log of the agent says why'
printf 'no credentials\n' >"$work/wrong"
msi ill /i "$(windows "$new")" "CREDENTIALS=$(windows "$work/wrong")" "${line[@]:1}"
is_gone
grep -q 'credentials' "$home"/logs/*.log || fail 'Nothing says why' "$(ls -R "$home")"
[[ ! -e $home/registration.json ]] || fail 'It is registered'

say 'Installed, registered and started by one line'
msi well /i "$(windows "$old")" "${line[@]}"
is_whole
equal "$(installed)" 0.0.1.1 'Another version is listed'
equal "$(service ObjectName)" LocalSystem 'The service runs as somebody else'
equal "$(service Start)" 0x2 'The service does not start with the machine'
[[ $(service ImagePath) == *'stateward.exe'*' --home "C:\ProgramData\Stateward" agent run --service' ]] ||
    fail 'The service is started otherwise' "$(service ImagePath)"
# Wine says yes to what is to be done with a service that breaks, and keeps nothing of it.
tr -d '\0' <"$drive/installer.log" | grep -q 'ended.*: Configure. Return value 1' || fail 'The service was not configured'
equal "$(search_path)" "$before;C:\\Program Files\\Stateward\\" 'The search path is another one'
find "$drive" -name 'Stateward console.lnk' | grep -q . || fail 'The start menu has no console'
answers
told=$(agent --json status)
[[ $told == *web-01* ]] || fail 'It has another label' "$told"
[[ -d "$drive/A cache" && $(<"$home/registration.json") == *'A cache'* ]] || fail 'Its cache is elsewhere' "$(<"$home/registration.json")"

say 'Upgraded while a job runs: the job, the registration and the service go on'
mkdir "$work/source"
for ((number = 0; number < 40; number++)); do head -c 500000 /dev/urandom >"$work/source/$number"; done
quiet agent protect files "$(windows "$work/source")" --name source
quiet agent settings set --limit-rate 2MiB
agent --json backup now --wait >"$work/backup" &
backup=$!
for _ in {1..100}; do
    if agent --json job list | grep -q '"state":"running"'; then break; fi
    sleep 0.2
done
kept=$(sha256sum "$home/registration.json")
msi well /i "$(windows "$new")" "${line[@]}"
equal "$(installed)" "$(basename "${new%-2.x64.msi}" | cut -d - -f 2).2" 'Other versions are listed'
is_whole
answers
wait "$backup" || fail 'The job that ran has failed' "$(tail -n 3 "$work/backup")"
equal "$(sha256sum "$home/registration.json")" "$kept" 'The registration is another one'
equal "$(search_path)" "$before;C:\\Program Files\\Stateward\\" 'The search path is another one'

say 'An older one is refused'
msi ill /i "$(windows "$old")"
is_running || fail 'The service was stopped'

say 'By the agent itself, from the vault: back to the older one, for no newer one is built'
quiet "$bin/xtask" make-release-key "$work/key"
quiet "$bin/xtask" sign-package "$work/key" "$old"
quiet "$bin/stateward-vault" packages add --data "$work/vault" "$old"
"${admin[@]}" vault packages main | grep -q "$(sha256sum "$old" | cut -c 1-64)" || fail 'The vault does not offer it with its checksum'
cp "$work/key.pub" "$home/release-keys"
there=$new
if agent --json agent upgrade --version 0.0.1-1 --allow-downgrade >"$work/upgrade"; then
    there=$old
    equal "$(installed)" 0.0.1.1 'Other versions are listed'
    grep -q '"installed":"0.0.1-1"' "$work/upgrade" || fail 'It tells another version' "$(<"$work/upgrade")"
    is_whole
    answers
elif grep -q '"no-release-key"' "$work/upgrade"; then
    # Who may write the file of keys is told by its access list, and Wine makes those up.
    say "LEFT OUT: no release key is trusted here: $(tail -n 1 "$work/upgrade")"
else
    fail 'The agent does not upgrade itself' "$(tail -n 3 "$work/upgrade"; tail -c 2000 "$home/logs/upgrade.log")"
fi

say 'Repaired'
rm "$folder/CHANGELOG.md" "$folder/stateward.exe" 2>/dev/null || rm -f "$folder/CHANGELOG.md"
code=$(msiinfo export "$there" Property | tr -d '\r' | sed -n 's/^ProductCode\t//p')
# What `/fa` means; Wine's program does not understand that.
msi well /i "$code" REINSTALL=ALL REINSTALLMODE=a
is_whole
answers
quiet agent backup now --wait

say 'Removed, and what it keeps'
msi well /x "$code"
is_gone
equal "$(search_path)" "$before" 'The search path is another one'
equal "$(sha256sum "$home/registration.json")" "$kept" 'The home went with it'
say 'The MSI is the same when built twice, and installs, upgrades, repairs and goes, under Wine'
