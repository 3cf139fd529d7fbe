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

# Drops what a page says of the machine.
without_machine() { awk '/^On this machine/ { skip = 1 } /^Predict/ { skip = 0 } !skip { print }'; }

# A record of two threads that take turns of 5 ms on CPU 0 for 40 ms: turns MODE LAUNCH.
turns() {
    local config='"config":{"target":{"kind":"kernel","argv":null,"name":"toy"},"variant":"plain","size":"10","seed":1,
        "isa":"base","mode":"'$1'","wait_policy":"yield","nodes":1,"map":"cores-first","ranks":1,"threads":2,
        "cpus":[0],"workers":2,"options":{}}'
    local task='"pid":7,"name":"toy","rank":0,"accounted_wait_s":0.02,"voluntary":0,"involuntary":4,"begin_ns":0,
        "cpus":[0,0,0,0],"lengths_ns":[5000000,5000000,5000000,5000000,5000000,5000000,5000000,5000000]'
    echo '{"schema":1,"type":"timeline","key":"","tier":"exact","study":"run","launch":'"$2"',"wall_s":0.04,"valid":true,
        "invalid_reason":null,"host":"node1","error_s":1e-6,"clock_error_s":0,"incomplete":null,"degraded":null,
        "start_s":5,"length_s":0.04,'"$config"',"cpus":[0],"cpu_busy_s":[0.04],"tasks":[
        {"tid":7,"thread":0,"states":"RQRQRQRQ",'"$task"'},{"tid":8,"thread":1,"states":"QRQRQRQR",'"$task"'}]}' |
        tr -d '\n' && echo
}

# An mpirun, ./mpirun, whose first N launches a signal ends.
crashing_mpirun() {
    local words='exited on signal 11 (Segmentation fault)'
    printf '%s\n' '#!/bin/sh' 'case "$*" in *--version*) exec mpirun "$@" ;; esac' 'echo once >>tries' \
        "[ \"\$(wc -l <tries)\" -le $1 ] || exec mpirun \"\$@\"" \
        "echo 'mpirun noticed that process rank 1 with PID 0 on node n1 $words.' >&2" 'exit 139' >mpirun && chmod +x mpirun
    export SPEEDUP_MPIRUN=$PWD/mpirun
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
