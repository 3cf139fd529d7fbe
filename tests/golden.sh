#!/usr/bin/env bash
# Plays the command lines of tests/golden/*.txt and compares all that they print, and their exit status, with what is
# written there:
#
#   # a remark, kept as it is; "# needs: mpi" skips the file where the MPI modes are unavailable
#   $ speedup list --jsn          run by bash in an empty folder, with `pipefail` and the helpers below
#   | a line of standard output
#   ! a line of standard error
#   ? 2                           the exit status
#
# golden.sh [--update] [NAME...]: all files, or those named. --update writes what came; read the difference before you
# accept it. SPEEDUP_PROGRAM names the program.
set -u

update=no
[[ ${1-} == --update ]] && update=yes && shift
: "${SPEEDUP_PROGRAM:?name the program to test, as SPEEDUP_PROGRAM=build/speedup}"
program=$(realpath "$SPEEDUP_PROGRAM") || exit 1
cases=$(cd "$(dirname "$0")" && pwd)/golden
[[ -x $program ]] || { echo "golden.sh: no program $program" >&2; exit 1; }
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

unset NO_COLOR COLUMNS SPEEDUP_MPIRUN
for variable in ${!OMP_@} ${!GOMP_@} ${!SLURM_@}; do unset "$variable"; done
export LC_ALL=C TERM=dumb

# Helpers for the cases. --------------------------------------------------------------------------

speedup() { "$program" "$@"; }

# Drops the paragraphs that say why something is not available: they differ between machines.
without_reasons() {
    awk '/^ *not available here:/ { match($0, /[^ ]/); column = RSTART; next }
         column { match($0, /[^ ]/); if (RSTART > column) next; column = 0 }
         { print }'
}

# -------------------------------------------------------------------------------------------------

# What depends on the machine in messages.
normalise() {
    sed -E -e "s#$work#DIR#g" \
        -e 's/[0-9.e+]+ GiB is available/N GiB is available/' \
        -e 's/allowed: [0-9,-]+$/allowed: CPUS/'
}

prefixed() { normalise <"$2" | sed -e "s/^/$1 /" -e 's/ *$//'; }

play() {
    local line status
    while IFS= read -r line; do
        case $line in
        '$ '*)
            rm -rf "$work/here" && mkdir "$work/here"
            (set -o pipefail; cd "$work/here" && eval "${line#\$ }") >"$work/out" 2>"$work/err" </dev/null
            status=$?
            printf '%s\n' "$line"
            prefixed '|' "$work/out"
            prefixed '!' "$work/err"
            printf '? %d\n' "$status"
            ;;
        '|'* | '!'* | '?'*) ;;
        *) printf '%s\n' "$line" ;;
        esac
    done <"$1"
}

names=("$@")
[[ $# -gt 0 ]] || names=("$cases"/*.txt)
mpi=$(speedup --version | grep -c '^MPI .*unavailable')
failed=0
for name in "${names[@]}"; do
    name=$(basename "$name" .txt)
    file=$cases/$name.txt
    [[ -r $file ]] || { echo "golden.sh: no case $file" >&2; exit 1; }
    if [[ $mpi != 0 ]] && grep -q '^# needs: mpi' "$file"; then
        echo "skipped: $name (the MPI modes are unavailable here)"
        continue
    fi
    play "$file" >"$work/actual"
    if cmp -s "$file" "$work/actual"; then
        echo "ok: $name"
    elif [[ $update == yes ]]; then
        cp "$work/actual" "$file" && echo "updated: $name"
    else
        echo "FAILED: $name (- expected, + came; if what came is right: golden.sh --update $name)"
        diff -u --label expected "$file" --label came "$work/actual"
        failed=1
    fi
done
exit $failed
