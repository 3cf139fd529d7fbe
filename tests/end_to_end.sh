#!/usr/bin/env bash
# The whole pipeline with real workers, and with the faults that it must notice injected: a CPU hog, a worker moved to
# another CPU, one that is killed or hangs, an interrupt. Nothing here asserts a time.
#
#     end_to_end.sh [--short]
#
# --short is for a program with sanitizers, which takes much longer for the same: smaller sizes, no measurement of ceilings,
# and ranks that are searched for leaks in each kernel and mode once, not in every launch after.
# SPEEDUP_PROGRAM names the program.
set -u
set -m # else background jobs ignore SIGINT, which the harness respects

# shellcheck source=tests/ranks.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/ranks.sh"

program=${SPEEDUP_PROGRAM:?names the speedup program}
short=
[ "${1:-}" != --short ] || short=yes
# What takes some tenths of a second in one task: judged from 0.2 s on.
some=4e7 more=1.5e8 class=S watched=3e8
[ -z "$short" ] || some=6e6 more=4e7 class=2000000 watched=1e7
folder=$(mktemp -d)
hogs=()
passed=0 failed=0

cleanup() {
    [ ${#hogs[@]} -eq 0 ] || kill "${hogs[@]}" 2>/dev/null
    rm -rf "$folder"
}
trap cleanup EXIT
cd "$folder" || exit 1

check() { # check NAME COMMAND...: the command must succeed
    local name=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
        echo "ok: $name"
    else
        failed=$((failed + 1))
        echo "FAILED: $name"
        head -c 3000 out err 2>/dev/null
    fi
}

# run STATUS ARGUMENTS...: runs speedup; its output goes to out and err; succeeds when its status is STATUS.
run() {
    local expected=$1 status
    shift
    "$program" "$@" >out 2>err </dev/null
    status=$?
    # On a busy machine a right answer may be no valid measurement.
    [ "$expected" -eq 0 ] && [ "$status" -eq 4 ] && status=0
    [ "$status" -eq "$expected" ] || { echo "status $status where $expected was expected: $*"; return 1; }
}

says() { grep -qE -- "$1" "${2:-out}"; }
no_workers() { # of this test: they are known by their seed
    ! pgrep -f -- "speedup-worker.*--seed $1 " >/dev/null
}
samples() { grep -c '"type":"sample"' "$1"; }
mpi_available() { ! "$program" list | grep -A1 "^ *mpi  " | grep -q "not available"; }
cpu_count=$(nproc)
# Seeds by which this test's workers are told from others.
seed1=$$1 seed2=$$2 seed3=$$3 seed4=$$4 seed5=$$5 seed6=$$6 seed7=$$7 seed8=$$8
# A crash is a crash, also in a sanitized program.
export ASAN_OPTIONS=${ASAN_OPTIONS:-}:handle_segv=0:allow_user_segv_handler=1

# --- Every mode gives the same answer, and the record says what was asked for.
modes="serial multitask threads"
mpi_available && modes="$modes multitask-mpi mpi hybrid"
for kernel in "matmul --size 300" "pi --size 3000000" "option --size 20000 --payoff asian --steps 5" "ep --size $class" \
    "synthetic --size 30 --wait 1ms --operations 1000"; do
    : >checksums
    for mode in $modes; do
        # shellcheck disable=SC2086
        check "$kernel in mode $mode" run 0 run $kernel --mode "$mode" --json
        check "  its record" says '"type":"context"'
        check "  its mode" says "\"mode\":\"$mode\""
        grep -m 1 -oE '"checksum":"0x[0-9a-f]{16}"' out >>checksums
    done
    check "${kernel%% *}: one checksum for all modes" test "$(sort -u checksums | wc -l)" -eq 1
    check "${kernel%% *}: a checksum from each mode" test "$(wc -l <checksums)" -eq "$(wc -w <<<"$modes")"
done

[ -z "$short" ] || ranks_without_search "$folder"

# --- --json prints records alone; -o writes the same kind of file.
check "json alone" run 0 run pi --size 100000 --runs 3 --json -o file.jsonl
check "  context and three samples" test "$(samples out)" -eq 3
check "  nothing else" test "$(grep -vc '^{"' out)" -eq 0
check "  the same in the file" test "$(samples file.jsonl)" -eq 3
check "  too short to judge" says '"valid":null'

# --- All variants side by side: one size, every variant in every block, none left out.
check "all variants" run 0 run matmul --variant all --size 200 --runs 2 -o all.jsonl
variants=$(grep -oE '"variant":"[a-z0-9]+"' all.jsonl | cut -d '"' -f 4 | sort -u)
count=$(wc -w <<<"$variants")
check "  several" test "$count" -ge 3
check "  one context line" test "$(grep -c '"type":"context"' all.jsonl)" -eq 1
check "  with a launch line of each" test "$(grep -oE -- '--variant [a-z0-9]+ ' all.jsonl | sort -u | wc -l)" -eq "$count"
for variant in $variants; do
    blocks=$(grep "\"variant\":\"$variant\"" all.jsonl | grep -oE '"block":[0-9]+' | sort | tr '\n' ' ')
    check "  $variant once in each block" test "$blocks" = '"block":0 "block":1 '
done
check "  one size" test "$(grep -oE '"size":"[^"]*"' all.jsonl | sort -u)" = '"size":"200"'
"$program" list matmul | grep -oE '^    [a-z0-9]+  ' >known
while read -r variant; do
    check "  a row and a sentence: $variant" test "$(grep -cE "^$variant +[^ ]" out)" -eq 2
done <known
check "all variants of a kernel that has one" run 0 run synthetic --variant all --size 3 --json
check "  one sample" test "$(samples out)" -eq 1

# --- One of them gives a wrong answer, as a worker between says: it is named, and the others are shown.
mkdir between
cp "$(realpath "$program")" between/speedup
cat >between/speedup-worker <<END
#!/usr/bin/env bash
set -o pipefail
"$(dirname "$(realpath "$program")")/speedup-worker" "\$@" | case " \$* " in
*" --variant tiled "*) sed 's/"check":{"passed":true/"check":{"passed":false/' ;;
*) cat ;;
esac
END
chmod +x between/speedup-worker
between/speedup run matmul --variant all --size 200 --runs 1 >out 2>err </dev/null
check "a wrong answer among all variants: status 3" test $? -eq 3
check "  it is named" says 'matmul tiled gave a wrong answer' err
check "  and has no time" says '^tiled +WRONG ANSWER'
check "  the others have theirs" says '^naive +[0-9.]+ m?s '

# --- Instruction sets: each that the machine has can be asked for, the best is the default, others are refused.
sets=$("$program" machine | sed -n 's/^ *Instructions *\([^;]*\);.*/\1/p' | tr -d ,)
check "instruction sets" test -n "$sets"
for set in $sets ""; do
    best=${set:-$best}
    SPEEDUP_ISA=$set check "SPEEDUP_ISA='$set'" run 0 run matmul --variant reordered --size 200 --json
    check "  is recorded" says "\"isa\":\"$best\""
    check "  with its peak" says "\"ceiling_rate\":[1-9].*\"ceiling\":\"[a-z -]+ in registers, $best\""
done
SPEEDUP_ISA=sse5 check "SPEEDUP_ISA=sse5: status 2" run 2 run matmul --size 200
check "  says what is allowed" says "SPEEDUP_ISA 'sse5' is no instruction set; allowed: ${sets%% *}" err
check "other work has no peak" run 0 run pi --size 100000 --json
check "  and says nothing of it" says '"ceiling_rate":null,"ceiling":null'
if [ -z "$short" ]; then
    check "machine --ceilings" run 0 machine --ceilings
    check "  a row for $best" says "^ +$best +in registers +[0-9.]+ GFLOP/s "
fi

# --- A hog on the core: invalid with the reason, and no valid measurement.
taskset -c 0 sh -c 'while :; do :; done' &
hogs+=($!)
check "a hog beside one task" run 4 run pi --variant scalar --size "$some" --warmup 0 --cpus 0 --json
check "  no sample is valid" test "$(grep -c '"valid":true' out)" -eq 0
check "  each was measured again" test "$(samples out)" -eq 3
check "  the reason is named" says '"invalid_reason":"another program held CPU 0'
check "  and told" says 'another program held CPU 0' err
# The hypervisor may take as much as hides the hog's part: then once more.
for _ in 1 2 3; do
    "$program" run pi --variant scalar --size "$some" --warmup 0 --mode multitask -W 4 --cpus 0 --json >out 2>err
    hog_status=$?
    says '"invalid_reason":"the hypervisor took' || break
done
check "a hog beside four tasks on one core" test "$hog_status" -eq 4
check "  the reason is named" says '"invalid_reason":"another program held CPU 0'
kill "${hogs[@]}"
wait "${hogs[@]}" 2>/dev/null
hogs=()

# --- A worker that is moved away from its CPU.
if [ "$cpu_count" -ge 2 ]; then
    "$program" run pi --variant scalar --cpus 0 --seed "$seed1" --size "$more" --warmup 0 --time-limit 60s --json >out 2>err &
    harness=$!
    for _ in $(seq 100); do
        sleep 0.05
        worker=$(pgrep -f -- "speedup-worker .*--seed $seed1 ") && break
    done
    sleep 0.3
    while kill -0 "$harness" 2>/dev/null; do # and the launches after it
        worker=$(pgrep -f -- "speedup-worker .*--seed $seed1 ") && taskset -acp 1 "$worker" >/dev/null 2>&1
        sleep 0.2
    done
    wait "$harness"
    check "a worker moved to another CPU: no valid measurement" test $? -eq 4
    check "  the reason is named" says '"invalid_reason":"worker 0 was to (run on|be bound to) CPU 0'
fi

# --- Workers that die or hang.
"$program" run pi --seed "$seed2" --size 1e11 --json >out 2>err &
harness=$!
for _ in $(seq 100); do sleep 0.05; pkill -SEGV -f -- "speedup-worker .*--seed $seed2 " && break; done
wait "$harness"
check "a worker that crashes: status 1" test $? -eq 1
check "  the signal is named" says 'signal 11' err
check "  in one line" test "$(wc -l <err)" -eq 1
check "a worker that takes too long" run 1 run pi --seed "$seed3" --size 1e11 --time-limit 500ms
check "  the limit is named" says 'time limit of 0.5 s' err
check "  nothing is left of it" no_workers "$seed3"

# --- An interrupt: no orphans, and what was measured is kept.
interrupted() { # interrupted SEED MODE...
    local seed=$1 status
    shift
    "$program" run pi --variant scalar --size "$some" --seed "$seed" --runs 1000 -o "kept-$seed.jsonl" "$@" >out 2>err &
    harness=$!
    for _ in $(seq 600); do
        sleep 0.05
        [ -s "kept-$seed.jsonl" ] && [ "$(samples "kept-$seed.jsonl")" -ge 1 ] && break
    done
    kill -INT "$harness"
    wait "$harness"
    status=$?
    check "interrupted $*: status 130" test "$status" -eq 130
    check "  samples are kept" test "$(samples "kept-$seed.jsonl")" -ge 1
    check "  no line is torn" test "$(grep -vc '}$' "kept-$seed.jsonl")" -eq 0
    check "  no orphans" no_workers "$seed"
}
interrupted "$seed4" --mode threads
mpi_available && interrupted "$seed5" --mode mpi

# --- The harness is killed outright: the workers go with it.
"$program" run pi --size 1e11 --seed "$seed6" --json >out 2>err &
harness=$!
for _ in $(seq 100); do sleep 0.05; no_workers "$seed6" || break; done
kill -KILL "$harness"
wait "$harness" 2>/dev/null
for _ in $(seq 100); do no_workers "$seed6" && break; sleep 0.05; done
check "harness killed: no orphans" no_workers "$seed6"

# --- Scheduling: each strategy gives the same answer, and other switches. What is refused is explained.
# The least number of involuntary switches in an undisturbed sample; nothing where all were disturbed.
preempted() { grep '"valid":true' out | grep -oE '"involuntary":[0-9]+},"placement"' | grep -oE '[0-9]+' | sort -n | head -n 1; }
# About 0.3 s: judged from 0.2 s on, and let through by the system's limit for real-time tasks up to 0.95 s.
"$program" run pi --size 2e7 --json >out 2>err </dev/null
size=$(grep -oE '"wall_s":[0-9.e-]+' out | head -n 1 | awk -F : '{ printf "%.0f", 2e7 * 0.3 / $2 }')
turns() { # turns OPTIONS...: two samples of two tasks on one core
    run 0 run pi --mode multitask --workers 2 --size "$size" --runs 2 --warmup 0 --json "$@" && [ "$(samples out)" -ge 2 ]
}
far_fewer() { # far_fewer USUAL NOW
    [ -n "$1" ] && [ -n "$2" ] || { echo "skipped: no sample was valid, beside other programs"; return 0; }
    [ $((3 * $2)) -le "$1" ]
}
available() { "$program" machine | grep -qE "^ +$1 +(can be set|allowed)"; }
check "turns by the system's own slice" turns
check "  which is not told of" test "$(grep -c '"scheduling"' out)" -eq 0
usual=$(preempted)
checksum=$(grep -m 1 -oE '"checksum":"0x[0-9a-f]{16}"' out)
for options in "--nice 7" "--nice 3 --policy batch"; do
    # shellcheck disable=SC2086
    check "$options" turns $options
    check "  is recorded" says '"scheduling":\{"policy":"(other|batch)","nice":[0-9],"slice_ns":null\}'
    check "  the same answer" says "$checksum"
done
if available "Time slices"; then
    check "a slice of 60 ms: far fewer switches" turns --slice 60ms
    check "  ($(preempted) instead of $usual)" far_fewer "$usual" "$(preempted)"
    check "  is recorded" says '"scheduling":\{"policy":"other","nice":0,"slice_ns":60000000\}'
    check "  the same answer" says "$checksum"
    check "  of processes too" run 0 run pi --mode threads --size 1000 --slice 60ms
    check "  and shown" says '^  scheduling   slice 60 ms$'
else
    echo "skipped: --slice ($("$program" machine | grep -A2 '^ *Time slices'))"
    check "a slice that cannot be had: status 1" run 1 run pi --size 1000 --slice 60ms
    check "  says why" says 'Linux 6.12|filter' err
fi
if available "Real-time"; then
    check "fifo: one task after the other" turns --policy fifo
    check "  ($(preempted) instead of $usual)" far_fewer "$usual" "$(preempted)"
    check "  with waits that block" says '"wait_policy":"block".*"scheduling":\{"policy":"fifo","nice":0,"slice_ns":null\}'
    check "  the same answer" says "$checksum"
    mpi_available && for mode in mpi multitask-mpi; do
        check "fifo in mode $mode" run 0 run pi --mode "$mode" --ranks 2 --size 1000 --policy fifo
    done
    # On the only CPU that the harness has: it ends them all the same, and if it cannot, the kernel does.
    check "real-time on the harness's own CPU" run 1 run pi --policy fifo --cpus 0 --seed "$seed7" --size 1e11 --time-limit 1s
    check "  the limit is named" says 'time limit of 1 s' err
    check "  nothing is left of it" no_workers "$seed7"
    set +m # else `wait` tells that it was stopped
    "$program" run pi --policy rr --mode multitask -W 2 --seed "$seed8" --size 1e11 --time-limit 2s >out 2>err </dev/null &
    harness=$!
    for _ in $(seq 100); do sleep 0.05; no_workers "$seed8" || break; done
    kill -STOP "$harness"
    running() { ps -o stat= --ppid "$harness" | grep -q '^[^Z]'; }
    for _ in $(seq 150); do sleep 0.1; running || break; done
    running
    check "real-time beside a harness that is stopped: it is ended all the same" test $? -ne 0
    kill -CONT "$harness"
    wait "$harness"
    check "  status 1" test $? -eq 1
    set -m
    check "  and told" says '(watchdog: a task computed for longer than|it took longer than) the time limit of 2 s' err
else
    echo "skipped: --policy fifo, rr ($("$program" machine | grep -A3 '^ *Real-time'))"
    check "a policy that cannot be had: status 1" run 1 run pi --size 1000 --policy fifo
    check "  says what it takes" says 'cannot have policy fifo .*(CAP_SYS_NICE|rt_runtime_us|filter)' err
fi
# As somebody without rights.
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
    mkdir ordinary && chmod 755 . ordinary
    cp "$(realpath "$program")" "$(dirname "$(realpath "$program")")"/speedup-worker* ordinary/
    ordinary() {
        setpriv --reuid=65534 --regid=65534 --clear-groups "$folder/ordinary/speedup" run pi --size 1000 "$@" >out 2>err </dev/null
    }
    if setpriv --reuid=65534 --regid=65534 --clear-groups test -x "$folder/ordinary/speedup"; then
        ordinary --policy fifo
        check "fifo as an ordinary user: status 1" test $? -eq 1
        check "  says what it takes, in one line" test "$(grep -c 'policy fifo .*CAP_SYS_NICE.*ulimit -r' err) $(wc -l <err)" = "1 1"
        ordinary --nice -5
        check "nice -5 as an ordinary user: status 1" test $? -eq 1
        check "  says what it takes" says 'nice -5 .*ulimit -e' err
        ordinary --nice 5 --policy batch
        check "nice 5 and batch as an ordinary user" test $? -eq 0
        if available "Time slices"; then
            ordinary --slice 60ms
            check "a slice as an ordinary user" test $? -eq 0
        fi
    else
        echo "skipped: what an ordinary user may (it cannot get at $folder)"
    fi
fi

# Ranks that share a core start milliseconds apart: what is shown is the time of the sample, from the first one's start.
if mpi_available && "$program" machine | grep -q "^ *Timelines *exact"; then
    check "a timeline of processes on one core" run 0 run pi --mode multitask-mpi -W 3 --size $watched --timeline -o turns.jsonl
    "$program" timeline turns.jsonl --json >out
    # By the records, and by the system's accounts of the sample: they may differ by one or two at the ends of each rank.
    awk -F'[:,]' '/"length_s"/ {length_s = $2} /"(preempted|yielded|blocked)"/ {seen += $2}
        /"(voluntary|involuntary)"/ {told += $2}
        END {n = (seen - told) * length_s; exit !(told > 0 && n >= -6 && n <= 6)}' out
    check "  its switches are those that the system counted" test $? -eq 0
fi

# --- Inside somebody's mpirun.
if mpi_available && command -v mpirun >/dev/null; then
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
    mpirun --oversubscribe -n 3 "$program" run pi --size 3000000 --json >out 2>err </dev/null
    check "mpirun -n 3 speedup run: status 0" test $? -eq 0
    check "  one record, of three ranks" test "$(samples out)" -eq 1
    check "  of three ranks" says '"ranks":3'
    SPEEDUP_ISA=${sets%% *} mpirun --oversubscribe -n 2 "$program" run matmul --size 200 --json >out 2>err </dev/null
    check "  with SPEEDUP_ISA=${sets%% *}" says "\"isa\":\"${sets%% *}\""
    # The ranks watch themselves, after what is timed; where the system does not let them, that is said, and nothing is lost.
    mpirun --oversubscribe -n 2 "$program" run pi --size 3000000 --runs 2 --timeline -o watched.jsonl >out 2>err </dev/null
    status=$?
    check "mpirun -n 2 with --timeline: two samples" test "$(samples watched.jsonl)" -eq 2
    if "$program" machine | grep -q "^ *Timelines *exact"; then
        check "  status 0, or 4 on a busy machine" test "$status" -eq 0 -o "$status" -eq 4
        check "  one line of one host" test "$(grep -c '"type":"timeline"' watched.jsonl)" -eq 1
        grep '"type":"timeline"' watched.jsonl >line
        check "  exact" says '"tier":"exact"' line
        check "  with two workers" test "$(grep -oE '"rank":[01],"thread":0' line | sort -u | wc -l)" -eq 2
        check "  of the launch of the samples" says '"launch":0,' line
    else
        check "  status 1 where it is refused" test "$status" -eq 1
        check "  said once" test "$(grep -c 'no timeline can be had: ' err)" -eq 1
        check "  with no line of it" test "$(grep -c '"type":"timeline"' watched.jsonl)" -eq 0
    fi
    mpirun --oversubscribe -n 2 "$program" run pi --size 3000000 --timeline --json >out 2>err </dev/null
    check "  and with --json nothing but records" test "$(grep -vc '^{"' out)" -eq 0
    mpirun --oversubscribe -n 2 "$program" run pi --ranks 3 >out 2>err </dev/null
    check "mpirun -n 2 with --ranks 3: status 2" test $? -eq 2
    check "  said once" test "$(grep -c 'leave --ranks out' err)" -eq 1
fi

# --- The lesson: records and report are there, whatever the machine was busy with.
"$program" demo --quick -o lesson >out 2>err </dev/null
status=$?
check "demo --quick: status 0, or 4 on a busy machine" test "$status" -eq 0 -o "$status" -eq 4
check "  its records" test "$(samples lesson/results.jsonl)" -ge 8
check "  its report" says '</html>' lesson/report.html
check "  which loads nothing from elsewhere" test "$(grep -cE '(src|href)="(https?:)?//' lesson/report.html)" -eq 0
check "  no escape codes without a terminal" test "$(grep -c $'\033' out)" -eq 0

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
