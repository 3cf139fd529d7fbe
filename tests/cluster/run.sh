#!/usr/bin/env bash
# Speedup on several nodes, for real: throw-away clusters on this machine (see vcluster) in which studies run by mpirun
# and by Slurm, the network is slow, jobs end too early, and things break. No test asserts a time but one: a fault is
# noticed within 15 s.
#
#     run.sh [--faults N] [--only PHASE]          (N of each fault; 0: none)
#
#   --faults N      how often each fault is injected (default 1)
#   --only PHASE    network, mpirun, slurm, user or limit alone
#
# SPEEDUP_PROGRAM names the program, SPEEDUP_SWITCH the program cluster_switch, beside which predict lies. One line a check, as in tests/run.sh.
#
# What each fault does to Open MPI 4.1.4 (mpirun) and Slurm 22.05 (srun), with four ranks on four nodes, as seen here:
#
#   fault                    mpirun                                        srun --mpi=pmix
#   a rank is killed         ends all after 3.5 s; nothing left            never: the others wait for it in MPI; with
#                                                                          --kill-on-bad-exit=1 ends all after 0.3 s
#   a node is cut off        never; with oob_tcp_keepalive_time, _intvl,   not before SlurmdTimeout (300 s by default; 10 s
#                            _probes 3, 1, 3: 205 after 7.5 s; the node's  here, and it takes 30 s); the ranks there go on
#                            own daemon ends its ranks as well
#   orted, slurmstepd        205 after 1.5 s; ranks there end with their   never: the ranks elsewhere wait for ever; those
#   killed (-9)              PMIx server, other programs stay as orphans;  there stay, after scancel too, and srun waits on;
#                            with PR_SET_PDEATHSIG none does               with PR_SET_PDEATHSIG they end at once.
#                                                                          --wait does not help: no rank has ended
#   a rank is stopped        never; TERM to mpirun ends it too             never; TERM to srun ends it too
#   launcher killed (-9)     the daemons notice, and end all within 4 s    the same
#   TERM to the launcher     ends all within 4 s                           the same
#   job cancelled            (mpirun in a job) 205 after 1 s               130 after 0.1 s
#
# So srun needs --kill-on-bad-exit=1, mpirun its keepalive, workers PR_SET_PDEATHSIG. And srun needs a time limit of the
# harness's own, after which it is killed, and workers that end by themselves: nothing else reaches a node that is cut off.
set -u

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
noticed_within_s=15
# The nodes' names, for where no batch system tells them.
hosts=node1,node2,node3,node4
# What a run consists of; nothing of it may stay.
parts='^[^ ]*(speedup|speedup-worker|speedup-worker-mpi|mpirun|mpiexec|orted|srun|slurmstepd:?) '
worker='^[^ ]*speedup-worker-mpi '
# All but Slurm's own. Of these a node that is cut off has to rid itself; slurmstepd stays until Slurm reaches it again.
own_parts='^[^ ]*(speedup|speedup-worker|speedup-worker-mpi|mpirun|mpiexec|orted|srun) '

pass() { printf 'ok      %s\n' "$1"; }
fail() { printf 'FAILED  %s\n' "$1"; }
skip() { printf 'skipped %s: %s\n' "$1" "$2"; }
has_option() { "$program" "$1" --help 2>/dev/null | grep -q -- "$2"; }

# tell FILE...: the end of each, where something failed.
tell() {
    local file
    for file in "$@"; do
        [ ! -s "$file" ] || { printf -- '--- %s\n' "$file" && tail -n 12 "$file" | cut -c1-600; }
    done
}

# check NAME COMMAND...: shows what it says where it fails.
check() {
    local name=$1 log
    log=$(mktemp "$work/check.XXXXXX")
    shift
    if "$@" >"$log" 2>&1 </dev/null; then pass "$name"; else tail -n 40 "$log" && fail "$name"; fi
}

# wait_for SECONDS COMMAND...: looks ten times a second.
wait_for() {
    local tries=$(($1 * 10))
    shift
    until "$@" >/dev/null 2>&1; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || return 1
        sleep 0.1
    done
}

samples() { grep '"type":"sample"' "$1" 2>/dev/null; }
count_samples() { samples "$1" | wc -l; }

# whole_lines FILE: no line is cut short.
whole_lines() { [ -s "$1" ] && [ -z "$(tail -c 1 "$1")" ] && ! grep -qvE '^\{.*\}$' "$1"; }

# --- In a cluster: starting, and looking at what came. $launcher is mpirun or srun.

# start NAME WORDS...: runs speedup with these words from node 1, as a batch job where Slurm is the launcher. Its output is
# in $work/NAME.out and .err; $work/NAME.status appears at its end.
start() {
    local name=$1 script=$work/$1.sh
    shift
    rm -f "$work/$name".*
    { printf '#!/bin/bash\n' && printf '%q ' "$program" "$@" && printf '>%q 2>%q </dev/null\n' "$work/$name.out" "$work/$name.err" &&
        printf 'echo $? >%q\n' "$work/$name.status"; } >"$script"
    if [ "$launcher" = srun ]; then
        job=$(sbatch --parsable --nodes 4 --ntasks-per-node 1 --exclusive --no-requeue --output "$work/$name.job" "$script") || return 1
    else
        vcluster on 1 bash "$script" >"$work/$name.job" 2>&1 &
    fi
}

# A job that was cancelled may leave no status.
ended() {
    [ -s "$work/$1.status" ] && return 0
    [ "$launcher" = srun ] && [ -z "$(squeue -h -j "$job" 2>/dev/null)" ]
}

nothing_left() { ! vcluster find "$parts"; }
nothing_of_ours_left() { ! vcluster find "$own_parts"; }

# finish NAME SECONDS: waits for its end; what still runs then is removed, for the next test to be a fair one.
finish() {
    local status=0
    wait_for "$2" ended "$1" || { echo "$1 did not end within $2 s" && status=1; }
    [ "$launcher" != srun ] || scancel --quiet "$job" 2>/dev/null
    return "$status"
}

sweep() {
    vcluster signal KILL "$parts" >/dev/null
    wait_for 10 nothing_left
    [ "$launcher" != srun ] || wait_for 30 all_idle
}

all_idle() { [ "$(sinfo -h -N -t idle -o %N | wc -l)" -eq 4 ]; }

# records_nodes FILE NODES COUNT: that many samples of so many nodes, each with as many host names in it, each either valid or
# with the reason why it is not.
records_nodes() {
    local file=$1 nodes=$2 count=$3 line hosts good=0
    while read -r line; do
        hosts=$(grep -o '"host":"node[0-9]*"' <<<"$line" | sort -u | wc -l)
        [ "$hosts" -eq "$nodes" ] || { echo "a sample of $nodes nodes names $hosts hosts" && return 1; }
        grep -qE '"valid":true|"invalid_reason":"[^"]' <<<"$line" ||
            { echo "a sample of $nodes nodes is not valid, and does not say why" && return 1; }
        good=$((good + 1))
    done < <(samples "$file" | grep "\"nodes\":$nodes," | grep -v '"invalid_reason":"failed')
    [ "$good" -ge "$count" ] || { echo "$good samples of $nodes nodes, where $count were asked for" && return 1; }
}

# Ranks that somebody else's launcher started, one a node: one record, from four hosts.
runs_foreign() {
    local line
    if [ "$launcher" = srun ]; then
        line=(srun --nodes 4 --ntasks 4 --mpi=pmix)
    else
        line=(mpirun -n 4 --host "node1,node2,node3,node4")
    fi
    vcluster on 1 "${line[@]}" "$program" run pi --size 20000000 --json >"$work/foreign.jsonl" || return 1
    [ "$(count_samples "$work/foreign.jsonl")" -eq 1 ] &&
        [ "$(samples "$work/foreign.jsonl" | grep -o '"host":"node[0-9]*"' | sort -u | wc -l)" -eq 4 ]
}

# studies NAME SIZE COUNT: 1, 2 and 4 nodes, into one file.
studies() {
    local name=$1 size=$2 count=$3 nodes
    start "$name" study pi --nodes 1,2,4 ${hosts:+--hosts "$hosts"} --ranks-per-node 1 --size "$size" -r "$count:$count" --launcher "$launcher" \
        -o "$work/$name.jsonl" || return 1
    finish "$name" 120 || return 1
    tell "$work/$name".{err,out}
    # 4: none of the samples was valid, on a machine that others use too.
    grep -qE '^(0|4)$' "$work/$name.status" || { echo "it ended with status $(cat "$work/$name.status")" && return 1; }
    for nodes in 1 2 4; do records_nodes "$work/$name.jsonl" "$nodes" "$count" || return 1; done
    [ "$(grep -c '"type":"context"' "$work/$name.jsonl")" -eq 1 ] && whole_lines "$work/$name.jsonl"
}

check_studies() {
    check "$phase: ranks of a foreign $launcher on 4 nodes" runs_foreign
    if has_option study --nodes; then
        check "$phase: a study over 1, 2 and 4 nodes by $launcher" studies study "$1" "$2"
        check "$phase: nothing of it is left" wait_for 10 nothing_left
    else
        skip "$phase: studies over nodes" "this program's study has no --nodes"
    fi
    sweep
}

# --- A slow network.

# communication FILE: the factor that the study's decomposition gives to communication on two nodes.
communication() {
    "$program" report "$1" | awk '/^Why:/ { why = 1 } why && /^mpi 2 / { print $6; exit }'
}

# measure_two_nodes NAME: two ranks on two nodes, which have a CPU each where there are two. The loops of the definition take
# long for little data; at the rate below the switch itself needs well under the 2 % of a core at which samples count as
# disturbed.
measure_two_nodes() {
    start "$1" study matmul --variant naive --size 1000 --modes mpi --nodes 1,2 --hosts node1,node2 --ranks-per-node 1 \
        -r 3:6 --budget 16s -o "$work/$1.jsonl" && finish "$1" 60 || return 1
    tell "$work/$1".err
}

# Where the machine is busy there may be no valid sample: nothing is told by it then.
shows_slow_network() {
    local fast slow
    measure_two_nodes fast || return 1
    vcluster network 100 20
    measure_two_nodes slow || return 1
    vcluster network fast
    fast=$(communication "$work/fast.jsonl") slow=$(communication "$work/slow.jsonl")
    echo "matmul on 2 nodes: factor of communication ${fast:-unknown} over the bridge, ${slow:-unknown} at 100 us and 20 Mbit/s" |
        tee "$work/told.network"
    if [ -z "$slow" ]; then
        samples "$work/slow.jsonl" | grep '"nodes":2' | grep -vq '"invalid_reason":"another program' || echo >"$work/busy"
        "$program" report "$work/slow.jsonl"
        return 1
    fi
    "$program" report "$work/slow.jsonl" | tr -s ' \n' ' ' | grep 'is communication' &&
        awk -v fast="${fast:-1}" -v slow="$slow" 'BEGIN { exit !(slow < 0.5 * fast) }'
}

# From the latency and bandwidth that exchange measures, the communication of SUMMA. Measured again where it is not within
# the 20 %: other programs on this machine can only make it slower.
predicts() {
    local tries
    vcluster network 100 1000
    for tries in first second third; do
        if vcluster on 1 bash "$here/network.sh" "$program" "$here/predict" "$work/predict" >"$work/told.predict" 2>&1; then
            vcluster network fast
            return
        fi
        echo "the $tries time:" && cat "$work/told.predict"
    done
    return 1
}

# A check that failed since other programs use this machine says nothing.
unless_busy() {
    local text
    text=$(cat)
    if [ -e "$work/busy" ]; then
        skip "network: a slow one is the factor of a study" "other programs held this machine's cores in all samples"
    else
        printf '%s\n' "$text"
    fi
}

phase_network() {
    check "network: a slow one is the factor of a study" shows_slow_network | unless_busy
    # Takes a minute, as the faults do.
    [ "$faults" -eq 0 ] || check "network: communication predicted within 20 %" predicts
    cat "$work"/told.* 2>/dev/null
    check_studies 1000000000 6
}

# --- Faults.

fault_text() {
    case $1 in
    rank) echo "a rank is killed" ;;
    cut) echo "a node is cut off" ;;
    daemon) echo "the launcher's daemon is killed" ;;
    hang) echo "a rank hangs" ;;
    memory) echo "a rank runs out of memory" ;;
    disk) echo "the disk is full" ;;
    cancel) echo "the job is cancelled" ;;
    esac
}

# What the record, or the study's last words, must say of it.
fault_cause() {
    case $1 in
    rank) echo 'signal 9|[Kk]illed' ;;
    cut) echo 'lost|connection|network|time limit|no sign of life|not all ranks ended' ;;
    daemon) echo 'lost|daemon|connection|time limit|no sign|not all ranks ended' ;;
    hang) echo 'hang|hung|time limit|no sign|longer than|not all ranks ended' ;;
    memory) echo 'memory|signal 9|[Kk]illed|not all ranks ended' ;;
    disk) echo 'No space left on device' ;;
    cancel) echo 'interrupted|cancel' ;;
    esac
}

# The victim is always on node 3; the study runs on node 1.
inject() {
    case $1 in
    rank) vcluster signal KILL "$worker" 3 ;;
    cut) vcluster cut 3 ;;
    daemon) if [ "$launcher" = srun ]; then vcluster signal KILL '^slurmstepd' 3; else vcluster signal KILL '^[^ ]*orted ' 3; fi ;;
    hang) vcluster signal STOP "$worker" 3 ;;
    # Too little for MPI to start: a control group's kernel kills it, the size of an address space fails its allocations.
    memory) if [ "$(vcluster memory 3 12)" = "address space" ]; then vcluster memory 3 120; fi ;;
    disk) vcluster on 1 sh -c 'cat /dev/zero >"$1/filler" 2>/dev/null; true' sh "$work/disk" ;;
    cancel) if [ "$launcher" = srun ]; then scancel "$job"; else vcluster signal TERM '^[^ ]*/speedup study ' 1; fi ;;
    esac
}

heal() {
    case $1 in
    cut) vcluster join 3 ;;
    hang) vcluster signal CONT "$worker" 3 ;;
    memory) vcluster memory 3 0 >/dev/null ;;
    esac
}

# The worker on node 3 that was not there before: one of a launch that ends just now is no victim.
fresh_worker() { vcluster find "$worker" 3 | grep -qv "^node3 ${old:-none} "; }

# What came into the record, or what the study said, since the fault was injected tells of it. (That a neighbour disturbed a
# sample tells nothing of a fault.)
told_of_failure() {
    {
        tail -n +"$(($(wc -l <"$work/$fault.before") + 1))" "$file.copy" | grep '"valid":false' | grep -v 'another program'
        tail -c +"$((said + 1))" "$work/$name.err"
    } 2>/dev/null | grep -qE "$(fault_cause "$fault")"
}

# The file as the study's node sees it.
look() { vcluster on 1 cat "$file" >"$file.copy" 2>/dev/null; }
has_sample() { look && [ "$(count_samples "$file.copy")" -ge 1 ]; }
noticed() { look && told_of_failure || ended "$name"; }

# try_fault FAULT: prints what is wrong, and adds a line to the table: fault noticed(0, 1) seconds orphans lost. Returns 2
# where there was nothing to break: on a busy machine the study may end before.
try_fault() {
    local fault=$1 name=fault.$1 file=$work/$1.jsonl before said old seconds started runs=4 orphans=0 lost=0 seen=1 bad=''
    # Until the last bit of the disk is used: a page may have room for another sample.
    [ "$fault" != disk ] || { vcluster disk 1 "$work/disk" 256k && file=$work/disk/disk.jsonl runs=12; }
    rm -f "$file"*
    start "$name" study pi --nodes 4 ${hosts:+--hosts "$hosts"} --ranks-per-node 1 --size 1000000000 -r "$runs:$runs" --budget 15s --time-limit 20s --launcher "$launcher" \
        -o "$file" || return 1
    wait_for 40 has_sample || { give_up "no sample came" && return 2; }
    old=$(vcluster find "$worker" 3 | cut -d' ' -f2)
    wait_for 20 fresh_worker || { give_up "no worker came to node 3" && return 2; }
    sleep 0.3 # until it computes, most times
    look
    cp "$file.copy" "$work/$fault.before"
    before=$(count_samples "$work/$fault.before")
    said=$(stat -c %s "$work/$name.err")
    started=$(date +%s%N)
    inject "$fault" || { give_up "nothing was there to break" && return 2; }
    wait_for $((noticed_within_s + 5)) noticed || seen=0
    seconds=$(awk -v ns=$(($(date +%s%N) - started)) 'BEGIN { printf "%.1f", ns / 1e9 }')
    # What a node that is cut off still runs can only end by itself.
    [ "$fault" != cut ] || wait_for "$noticed_within_s" none_on_3 || orphans=$(vcluster find "$own_parts" 3 | tee "$work/$fault.left" | wc -l)
    heal "$fault"
    finish "$name" 60 || bad="$bad; did not end"
    # A slurmstepd tries for a while to reach that of a node where it was killed; what is ours is gone long before.
    wait_for 15 nothing_of_ours_left && wait_for 45 nothing_left ||
        orphans=$((orphans + $(vcluster find "$parts" | tee -a "$work/$fault.left" | wc -l)))
    look
    head -c "$(stat -c %s "$work/$fault.before")" "$file.copy" | cmp -s - "$work/$fault.before" || lost=$before
    awk -v s="$seconds" -v within=$noticed_within_s 'BEGIN { exit !(s > within) }' && seen=0
    printf '%s|%s|%s|%s|%s|%s\n' "$launcher" "$fault" "$seen" "$seconds" "$orphans" "$lost" >>"$work/table"

    [ "$seen" -eq 1 ] || bad="$bad; not noticed within $noticed_within_s s"
    [ "$orphans" -eq 0 ] || bad="$bad; left: $(cut -d' ' -f1,3,4 "$work/$fault.left" 2>/dev/null | paste -sd,)"
    [ "$lost" -eq 0 ] || bad="$bad; samples are lost"
    whole_lines "$file.copy" || bad="$bad; a line is not whole"
    told_of_failure || bad="$bad; the cause is not told"
    sweep
    rm -f "$work/$fault.left"
    [ -z "$bad" ] || { echo "$fault: ${bad#; } ($seconds s)" && tell "$work/$name".{err,out,job} && return 1; }
    echo "$fault: noticed after $seconds s"
}

give_up() {
    echo "$fault: $1"
    tell "$work/$name".*
    heal "$fault"
    finish "$name" 60
    sweep
    return 0
}

none_on_3() { ! vcluster find "$own_parts" 3; }

try_fault_often() {
    local i tries status=0 outcome
    for ((i = 0; i < faults; i++)); do
        for ((tries = 0; tries < 3; tries++)); do
            outcome=0
            try_fault "$1" || outcome=$?
            [ "$outcome" -eq 2 ] || break
        done
        [ "$outcome" -eq 0 ] || status=1
    done
    return "$status"
}

check_faults() {
    local fault
    [ "$faults" -gt 0 ] || return 0
    has_option study --nodes || { skip "$phase: faults" "this program's study has no --nodes" && return; }
    for fault in rank cut daemon hang memory disk cancel; do
        check "$phase: $(fault_text "$fault"): noticed, told, nothing left, nothing lost" try_fault_often "$fault"
    done
}

# --- Phases.

phase_mpirun() { check_faults; }

phase_slurm() {
    launcher=srun hosts=
    check_studies 200000000 3
    check_faults
}

# As in a job of Flux, which mpirun knows nothing of: the names of the nodes come from the job.
phase_user() {
    export FLUX_URI=local:///run/flux SPEEDUP_JOB_ID=f1 SPEEDUP_JOB_NODES=4 SPEEDUP_JOB_HOSTS='node[1-4]'
    hosts=
    check_studies 200000000 3
    unset FLUX_URI SPEEDUP_JOB_ID SPEEDUP_JOB_NODES SPEEDUP_JOB_HOSTS
    hosts=node1,node2,node3,node4
}

# requeued FILE: the batch system's time limit ends the job in the middle of the study; it starts again, and the file has each
# configuration of each block once.
requeued() {
    local file=$work/limit.jsonl blocks=30 count
    "$program" job slurm --nodes 4 --walltime 1m --signal-before 45s --ranks-per-node 1 --program "$program" -- study pi --nodes 1,2,4 \
        --ranks-per-node 1 --launcher srun --size 200000 -r "$blocks:$blocks" -o "$file" >"$work/limit.sh" || return 1
    job=$(sbatch --parsable --output "$work/limit.out" "$work/limit.sh") || return 1
    wait_for 100 grep -q 'the job is requeued' "$work/limit.out" || { tell "$work/limit.out" && echo "no requeueing" && return 1; }
    count=$(count_samples "$file")
    wait_for 60 starts_again || { scontrol show job "$job" && return 1; }
    wait_for 100 job_ended || { tell "$work/limit.out" && squeue && return 1; }
    tell "$work/limit.out"
    echo "$count samples before the end of the first job, $(count_samples "$file") after that of the last"
    [ "$count" -gt 0 ] && [ "$count" -lt "$(count_samples "$file")" ] && once_each "$file" "$blocks"
}

# Slurm would wait for two minutes.
starts_again() {
    scontrol update "JobId=$job" StartTime=now
    scontrol -o show job "$job" | grep -qE ' JobState=RUNNING .* Restarts=1 '
}

job_ended() { scontrol -o show job "$job" | grep -qE ' JobState=(COMPLETED|FAILED|CANCELLED|TIMEOUT|NODE_FAIL|OUT_OF_MEMORY) '; }

# These samples are too short to be judged, so that none is measured again; but for launches that failed.
once_each() {
    local keys
    samples "$1" | grep -v '"invalid_reason":"failed' | sed -E 's/.*"key":"([0-9a-f]+)".*"block":([0-9]+),.*/\2 \1/' >"$work/once"
    keys=$(cut -d' ' -f2 "$work/once" | sort -u | wc -l)
    [ "$(sort -u "$work/once" | wc -l)" -eq "$(wc -l <"$work/once")" ] && [ "$(wc -l <"$work/once")" -eq $(($2 * keys)) ] && whole_lines "$1"
}

phase_limit() {
    launcher=srun
    if "$program" job --help >/dev/null 2>&1 && has_option study --nodes; then
        check "limit: a job's time limit, requeueing, going on" requeued
    else
        skip "limit: a job's time limit" "this program has no command job, or its study has no --nodes"
    fi
}

# --- Outside of all clusters.

# bring_up PHASE: a cluster for it, and its checks in there; by a user who is not root where the phase is called so. In the
# background, so that it hears TERM.
bring_up() {
    local name=$1 child options=(-n 4 --switch "$temporary/cluster_switch") as=()
    case $name in
    slurm | limit) options+=(--slurm) ;;
    user) as=(setpriv --reuid=65534 --regid=65534 --clear-groups env HOME="$temporary/user") ;;
    esac
    mkdir -p "$temporary/$name" && chmod 777 "$temporary/$name"
    # For the user to write to; the name is the phase's folder.
    ${as[@]+"${as[@]}"} env TMPDIR="$temporary/$name" "$here/vcluster" "${options[@]}" -- \
        bash "$here/run.sh" --inside "$name" "$temporary/$name" "$faults" "$temporary/speedup" &
    child=$!
    trap 'kill "$child"; wait "$child"; exit 130' TERM
    wait "$child" || fail "$name: the cluster"
}

table() {
    local text
    text=$(cat "$temporary"/*/table 2>/dev/null) || true
    [ -n "$text" ] || return 0
    printf '\n%-34s %9s %8s %10s %8s %5s\n' "fault" "injected" "noticed" "at most" "orphans" "lost"
    awk -F'|' '{ k = $1 ", " $2; n[k]++; s[k] += $3; if ($4 > m[k]) m[k] = $4; o[k] += $5; l[k] += $6 }
        END { for (k in n) printf "%-34s %9d %8d %8.1f s %8d %5d\n", k, n[k], s[k], m[k], o[k], l[k] }' <<<"$text" | sort
    printf '\n'
}

# Those who are not root may be unable to read the programs where they were built.
copy_programs() {
    local folder name
    folder=$(dirname "$SPEEDUP_PROGRAM")
    for name in speedup speedup-worker speedup-worker-mpi; do cp "$folder/$name" "$temporary/" || return 1; done
    cp "$SPEEDUP_SWITCH" "$temporary/cluster_switch" && cp "$(dirname "$SPEEDUP_SWITCH")/predict" "$here"/{vcluster,run.sh,network.sh} "$temporary/" &&
        chmod -R a+rX "$temporary" && here=$temporary
}

outside() {
    local reason phases name known
    : "${SPEEDUP_PROGRAM:?names the speedup program}" "${SPEEDUP_SWITCH:?names the program cluster_switch}"
    known="network mpirun slurm limit user"
    [ -x "$(dirname "$SPEEDUP_PROGRAM")/speedup-worker-mpi" ] || { skip "cluster" "the program was built without MPI" && return; }
    command -v mpirun >/dev/null || { skip "cluster" "mpirun is not installed" && return; }
    reason=$("$here/vcluster" --check 2>&1) || { skip "cluster" "${reason#vcluster: }" && return; }
    temporary=$(mktemp -d) && chmod 755 "$temporary"
    # Each cluster is ended by its own vcluster, which hears TERM.
    trap '[ ${#children[@]} -eq 0 ] || kill "${children[@]}" 2>/dev/null; wait; rm -rf "$temporary"' EXIT
    trap 'exit 130' INT TERM HUP
    copy_programs || { fail "cluster: the programs" && return; }
    if [ "$(id -u)" -ne 0 ]; then
        known=${known% user}
    elif ! reason=$(setpriv --reuid=65534 --regid=65534 --clear-groups "$here/vcluster" --check 2>&1); then
        skip "cluster: as an ordinary user" "${reason#vcluster: }"
        known=${known% user}
    fi
    if ! reason=$("$here/vcluster" --slurm --check 2>&1); then
        skip "cluster: Slurm" "${reason#vcluster: }"
        known=${known/ slurm limit/}
    fi
    phases=${only:-$known}
    # The one that measures by itself; the others mostly wait.
    case " $phases " in *" network "*) bring_up network & children=($!) && wait ;; esac
    for name in $phases; do
        [ "$name" = network ] || { bring_up "$name" & children+=($!); }
    done
    wait
    children=()
    table
}

inside() {
    phase=$1 work=$2 faults=$3 program=$4 launcher=mpirun
    "phase_$phase"
    exit 0
}

if [ "${1:-}" = --inside ]; then
    shift
    inside "$@"
fi
faults=1 only=''
while [ $# -gt 0 ]; do
    case $1 in
    --faults) faults=$2 && shift 2 ;;
    --only) only=$2 && shift 2 ;;
    *) echo "usage: run.sh [--faults N] [--only network|mpirun|slurm|user|limit]" >&2 && exit 2 ;;
    esac
done
children=()
outside
