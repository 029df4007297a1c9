#!/usr/bin/env bash
# Compares a restored System State with the live system, with programs that are none of ours.
#
# Usage: compare-restored.sh RESTORED BEGAN RESULTS [LEFT_OUT [FOLDER]…]
#   RESTORED  what was restored: every path below it is a path of the live system
#   BEGAN     when the backup began, in seconds since 1970
#   RESULTS   a folder for the lists that this makes
#   LEFT_OUT  a file with the paths that a rule leaves out, one a line
#   FOLDER    a live folder that must have come back with every name in it
#
# What the live system itself changed since BEGAN is no difference: a path counts as changed when its status time, or
# that of the folder that held it if it is gone, is not before BEGAN. How many there are is printed.
# Ends with 0 if nothing differs, 1 otherwise.
set -euo pipefail
export LC_ALL=C
PATH="$PATH:/usr/sbin:/sbin"

restored=$(realpath "$1")
began=$2
results=$(realpath "$3")
left_out=${4:-/dev/null}
whole_folders=("${@:5}")
differences=0

# Reads absolute live paths, a line each, and prints those that the live system did not change since the backup.
unchanged_since() {
    local path at
    while IFS= read -r path; do
        at=$path
        until [[ -e "$at" || -L "$at" ]]; do at=$(dirname -- "$at"); done
        if (($(stat --format=%Z -- "$at") < began)); then printf '%s\n' "$path"; fi
    done
}

# conclude NAME WORDS: tells live changes apart in $results/NAME.found, names what is left in $results/NAME.differences.
conclude() {
    local all left
    unchanged_since <"$results/$1.found" >"$results/$1.differences"
    all=$(wc -l <"$results/$1.found")
    left=$(wc -l <"$results/$1.differences")
    printf '   %-13s %s; %d changed by the live system meanwhile, %d differ\n' "$1" "$2" "$((all - left))" "$left"
    head -n 10 "$results/$1.differences" | sed 's/^/     /'
    differences=$((differences + left))
}

# Everything that was restored, but for the generated parts, which have no live counterpart. Paths from the root.
list_restored() {
    find "$restored" -mindepth 1 -path "$restored/stateward-generated" -prune -o "$@"
}

# Contents, kinds, modes, owners, times to the nanosecond, link targets, ACLs and attributes.
compare_contents() {
    local tops=() top code=0 owners=(--owner --group)
    # An ordinary user cannot give files to others, so there owners are no difference.
    if ((EUID != 0)); then owners=(--no-owner --no-group); fi
    while IFS= read -r -d '' top; do tops+=("./$top"); done < <(find "$restored" -mindepth 1 -maxdepth 1 -not -name stateward-generated -printf '%P\0')
    (cd "$restored" && rsync --dry-run --archive "${owners[@]}" --acls --xattrs --checksum --modify-window=-1 --relative \
        --no-implied-dirs --out-format='%i %n' "${tops[@]}" /) >"$results/contents.rsync" 2>"$results/contents.err" || code=$?
    # 23: an ordinary user may not read some attribute; rsync names the path and goes on.
    if ((code != 0 && code != 23)); then
        cat "$results/contents.err" >&2
        exit 1
    fi
    sed -e 's/^[^ ]* */\//' -e 's/\/$//' -e '/^\/\.$/d' "$results/contents.rsync" | sort -u >"$results/contents.found"
    conclude contents "$(list_restored -printf x | wc -c) entries by rsync --checksum"
}

# Names that the live system has within folders that are protected whole, and the restored tree lacks.
compare_names() {
    local top
    if ((${#whole_folders[@]} == 0)); then
        printf '   %-13s not compared: only some components were restored\n' names
        return
    fi
    list_restored -printf '/%P\n' | sort >"$results/names.restored"
    for top in "${whole_folders[@]}"; do
        if [[ -d $top ]]; then find "$top" -xdev -print 2>/dev/null || true; fi
    done | sort >"$results/names.live"
    # What a rule leaves out, what is no part of a file system's state (sockets), and what may not be read.
    comm -13 "$results/names.restored" "$results/names.live" | awk -v rules="$left_out" '
        BEGIN { while ((getline rule < rules) > 0) left_out[rule] = 1 }
        {
            for (path = $0; path != ""; sub(/\/[^\/]*$/, "", path)) if (path in left_out) next
            print
        }' | while IFS= read -r path; do
        if [[ -L "$path" || -r "$path" ]] && [[ ! -S "$path" ]]; then printf '%s\n' "$path"; fi
    done >"$results/names.found"
    conclude names "$(wc -l <"$results/names.live") live entries by find"
}

# Which names are one file: the groups must be the same on both sides, as far as the names were restored.
compare_hard_links() {
    local side
    list_restored -type f -links +1 -printf '%D:%i /%P\n' >"$results/links.restored-inodes"
    list_restored -type f -printf '/%P\n' | tr '\n' '\0' | { xargs -0 -r stat --format='%h %d:%i %n' -- 2>/dev/null || true; } \
        | sed -n '/^1 /!s/^[0-9]* //p' >"$results/links.live-inodes"
    for side in restored live; do
        # Each name with the first name of its group; groups of one are dropped.
        sort -k 2 "$results/links.$side-inodes" | awk '{
            inode = $1; sub(/^[^ ]* /, "")
            if (!(inode in first)) first[inode] = $0
            else print $0 " = " first[inode]
        }' | sort >"$results/links.$side"
    done
    comm -3 "$results/links.restored" "$results/links.live" | sed -e 's/^\t//' -e 's/ = .*//' | sort -u \
        >"$results/links.found"
    conclude links "$(wc -l <"$results/links.live") hard links"
}

# File capabilities, which rsync may miss where it may not read them.
compare_capabilities() {
    if ((EUID != 0)); then
        printf '   %-13s not compared: only root can restore them\n' capabilities
        return
    fi
    (cd "$restored" && getcap -r . 2>/dev/null | sed 's/^\.//' | sort) >"$results/capabilities.restored"
    # The live side of every name that was restored; `getcap -r` would also meet what is not protected.
    list_restored -type f -printf '/%P\0' | xargs -0 -r getcap 2>/dev/null | sort >"$results/capabilities.live"
    comm -3 "$results/capabilities.restored" "$results/capabilities.live" | sed -e 's/^\t//' -e 's/ [^ ]*$//' | sort -u \
        >"$results/capabilities.found"
    conclude capabilities "$(wc -l <"$results/capabilities.live") by getcap"
}

# Holes stay holes: a file that has some may not take more room than before, but for a block at each edge.
compare_sparse_blocks() {
    list_restored -type f -size +64k -printf '/%P\0' | xargs -0 -r stat --format='%b %s %n' -- 2>/dev/null \
        | awk '$1 * 512 < $2' >"$results/sparse.live" || true
    while read -r blocks _ path; do
        if (($(stat --format=%b -- "$restored$path") > blocks + 256)); then printf '%s\n' "$path"; fi
    done <"$results/sparse.live" >"$results/sparse.found"
    conclude sparse "$(wc -l <"$results/sparse.live") files with holes"
}

if [[ -z "$(list_restored -print -quit)" ]]; then
    printf '   Nothing was restored\n'
    exit 1
fi
compare_contents
compare_names
compare_hard_links
compare_capabilities
compare_sparse_blocks
exit "$((differences > 0))"
