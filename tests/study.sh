#!/usr/bin/env bash
# `speedup study` with real workers: it is killed at random moments and goes on each time; what is no honest continuation is
# refused; a program that takes a core is noticed. Nothing here asserts a time.
#
#     study.sh [--short] [KILLS]     how often it is killed at least (default 5)
#
# --short is for a program with sanitizers: few blocks, smaller sizes, and ranks that are not searched for leaks, which with
# MPI's takes a second each time (end_to_end.sh does that).
# SPEEDUP_PROGRAM names the program.
set -u

# shellcheck source=tests/ranks.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/ranks.sh"

program=${SPEEDUP_PROGRAM:?names the speedup program}
short=
[ "${1:-}" != --short ] || { short=yes && shift; }
kills=${1:-5}
# Sizes that take some tenths of a second: judged from 0.2 s on.
taking=30M nodes_size=300M
[ -z "$short" ] || taking=7M nodes_size=20M
folder=$(mktemp -d)
hog=
passed=0 failed=0
seed=$$7 # by which this test's workers are told from others

cleanup() {
    [ -z "$hog" ] || kill "$hog" 2>/dev/null
    rm -rf "$folder"
}
trap cleanup EXIT
cd "$folder" || exit 1

check() { # check NAME COMMAND...: the command must succeed
    local name=$1
    shift
    if "$@"; then
        passed=$((passed + 1)) && echo "ok: $name"
    else
        failed=$((failed + 1)) && echo "FAILED: $name"
        head -c 3000 out err 2>/dev/null
    fi
}

run() { # run STATUS ARGUMENTS...: runs speedup; its output goes to out and err
    local expected=$1 status=0
    shift
    "$program" "$@" >out 2>err </dev/null || status=$?
    [ "$status" -eq "$expected" ] || { echo "status $status where $expected was expected: $*" && return 1; }
}

says() { grep -qE -- "$1" "${2:-out}"; }
mpi_available() { ! "$program" list | grep -A1 "^ *mpi  " | grep -q "not available"; }
no_workers() { ! pgrep -f -- "speedup-worker.*--seed $seed " >/dev/null; }

# once_each FILE BLOCKS CONFIGURATIONS: every block has every configuration once (these samples are too short to be judged, so
# that none is measured again), and no launch has a number twice.
once_each() {
    grep '"type":"sample"' "$1" | sed -E 's/.*"key":"([0-9a-f]+)".*"launch":([0-9]+),"block":([0-9]+),.*/\3 \1 \2/' >samples
    [ "$(wc -l <samples)" -eq $(($2 * $3)) ] && [ "$(cut -d' ' -f1,2 samples | sort -u | wc -l)" -eq $(($2 * $3)) ] &&
        [ "$(cut -d' ' -f3 samples | sort -u | wc -l)" -eq $(($2 * $3)) ] && [ "$(cut -d' ' -f1 samples | sort -u | wc -l)" -eq "$2" ]
}

[ -z "$short" ] || ranks_without_search "$folder"

modes=multitask,threads configurations=7
mpi_available && modes=$modes,mpi configurations=10
blocks=$((3 + kills))
set -- study pi --size 200000 --modes "$modes" --workers 1,2,3 -r "$blocks:$blocks" --data-seed "$seed" -o study.jsonl

# --- Killed at random moments.
done=0 killed=0
for ((i = 0; i < 400 && !done; i++)); do
    resume=
    [ -s study.jsonl ] && grep -q '"type":"study"' study.jsonl && resume=--resume
    [ -n "$resume" ] || rm -f study.jsonl
    # shellcheck disable=SC2086
    "$program" "$@" $resume >out 2>err </dev/null &
    pid=$!
    if [ "$killed" -lt "$kills" ]; then
        sleep "0.$((RANDOM % 7))$((RANDOM % 10))"
        kill -KILL "$pid" 2>/dev/null && killed=$((killed + 1))
    fi
    wait "$pid" 2>/dev/null && done=1
    # A worker dies with the harness; one that is just being started, a moment later.
    for ((j = 0; j < 50; j++)); do no_workers && break || sleep 0.1; done
    no_workers || { failed=$((failed + 1)) && echo "FAILED: workers were left behind by a kill" && break; }
done
check "killed $killed times, it came to its end" test "$done $killed" = "1 $kills"
check "  every planned sample is there once" once_each study.jsonl "$blocks" "$configurations"
check "  a finished study has nothing left to do" run 0 "$@" --resume
check "  and so it stays" once_each study.jsonl "$blocks" "$configurations"

# --- A torn last line is set aside, not lost.
head -n -1 study.jsonl >torn.jsonl
tail -n 1 study.jsonl | head -c 40 >>torn.jsonl
cp torn.jsonl study.jsonl
check "a torn line: goes on" run 0 "$@" --resume
check "  and says so" says "torn" err
check "  and keeps it" test -s study.jsonl.torn
check "  the file is whole again" test "$(grep -c '^{.*}$' study.jsonl)" -eq "$(wc -l <study.jsonl)"

# --- What is no continuation.
check "an existing file is not touched" run 2 "$@"
check "  with what helps" says "--resume" err
check "other workers are refused" run 2 "$@" --workers 1,2 --resume
check "  and named" says "workers" err
check "another size is refused" run 2 "$@" --size 300000 --resume
check "  and named" says "size" err
check "--resume needs a file" run 2 study pi --resume
check "a file that is no study" run 2 study pi -o /etc/passwd --resume

# --- The plan, without a measurement.
check "dry run" run 0 study pi --dry-run --size 1M --modes threads --workers 1-3
check "  every launch line" test "$(grep -c 'speedup-worker' out)" -eq 4
check "  weak scaling" run 0 study matmul --dry-run --size 100 --scaling weak --modes threads --workers 1,8
check "  doubles the side for eight times the work" says "size 200"
check "a base of two" run 0 study pi --dry-run --size 1M --modes threads --workers 2,4 --base 2
check "  has no serial" test "$(grep -c 'serial' out)" -eq 0

# --- What the records tell again.
check "report: none of these samples could be judged" run 4 report study.jsonl
check "  is what the study said" says "^pi "
check "  as JSON" run 4 report --json study.jsonl
check "compare: nothing that could be" run 4 compare study.jsonl study.jsonl

# --- A program that takes the core, from beginning to end: no number is shown for it.
sh -c 'while :; do :; done' &
hog=$!
taskset -p -c 0 "$hog" >/dev/null 2>&1
check "a hog: no valid sample, or none at all" run 4 study pi --variant scalar --size $taking --modes multitask --workers 1 -r 1:1 \
    --cpus 0 --data-seed "$seed" -o hog.jsonl
check "  and it is named" says "sh \(process" err
check "  nothing was averaged" says "no valid time"

# --- The same hog, with equal work on all cores: it is used, and its core is named.
if mpi_available && [ "$(nproc)" -gt 1 ]; then
    check "per node: a slow core fails where that was asked for" run 5 study pi --per-node --fail-if-slow --size $nodes_size -r 7 --cpus 0,1 \
        --data-seed "$seed" -o nodes.jsonl
    check "  it is named" says "^Of the two cores, CPU 0 is the slower"
    check "  with the cause" says "waited for the"
    check "  and the record tells it again" run 0 report nodes.jsonl
    check "  likewise" says "CPU 0 is the slower"
    check "  another kind of study does not go on with it" run 2 study pi --size $nodes_size --data-seed "$seed" -o nodes.jsonl --resume
fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
