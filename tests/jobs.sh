#!/usr/bin/env bash
# Job scripts: those in jobs/ are what `speedup job` prints today (each says by which line), are sound shell, and do
# with signals what they say. There the study is a stand-in that closes its file when it is told to.
set -uo pipefail

source_dir=${SPEEDUP_SOURCE:?}
program=${SPEEDUP_PROGRAM:?}
jobs=$source_dir/jobs
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

speedup() { "$program" "$@"; }
complain() { printf 'FAILED  %s\n' "$1" && failed=1; }

# The lines in these files are the project's own.
check_examples() {
    local file line count=0
    for file in "$jobs"/*.sbatch "$jobs"/*.sh; do
        line=$(sed -n '2s/^# Made by: //p' "$file")
        [ -n "$line" ] || continue
        count=$((count + 1))
        eval "$line" >"$work/made" 2>"$work/notes" || complain "$file: its line does not work: $(cat "$work/notes")"
        if [ "${1:-}" = --update ]; then cp "$work/made" "$file"; fi
        diff "$file" "$work/made" || complain "$file is not what its line makes: tests/jobs.sh --update"
        [ ! -s "$work/notes" ] || complain "$file: $(cat "$work/notes")"
        bash -n "$file" || complain "$file is no shell script"
    done
    [ "$count" -ge 5 ] || complain "$count of 5 examples were found"
}

# The stand-in: adds a sample to $STAND_IN_FILE, where it is set, that is valid or not, and runs for $STAND_IN_S, or until
# TERM.
make_stand_in() {
    cat >"$work/speedup" <<'END'
#!/usr/bin/env bash
[ "$1" = study ] || exit 0
echo "$*" >asked
trap 'echo closed >closed; exit 130' TERM
if [ -n "${STAND_IN_FILE:-}" ]; then
    echo '{"type":"sample","valid":'"$STAND_IN_VALID"'}' >>"$STAND_IN_FILE"
fi
echo begun >begun
for ((i = 0; i < STAND_IN_S * 20; i++)); do sleep 0.05; done
exit "$STAND_IN_STATUS"
END
    cat >"$work/scontrol" <<'END'
#!/usr/bin/env bash
echo "$*" >requeued
END
    chmod +x "$work/speedup" "$work/scontrol"
}

# run_job SCRIPT SIGNAL EXPECTED FILES: runs the script, sends it SIGNAL ("": none) once the study has begun; its status
# and the files that are there then.
run_job() {
    local script=$1 signal=$2 expected=$3 files=$4 status=0 i
    rm -rf "$work/here" && mkdir "$work/here"
    (
        cd "$work/here" && echo node1 >../nodes || exit
        export PATH=$work:$PATH SLURM_JOB_ID=7 SLURM_JOB_NUM_NODES=1 SLURM_JOB_NODELIST=n PBS_JOBID=7 PBS_NODEFILE=$work/nodes
        export PBS_O_WORKDIR=$work/here LSB_JOBID=7 LSB_MCPU_HOSTS='n 1'
        exec bash "$script"
    ) >"$work/out" 2>&1 &
    local job=$!
    for ((i = 0; i < 200; i++)); do
        [ -e "$work/here/begun" ] && break
        sleep 0.05
    done
    [ -z "$signal" ] || kill -"$signal" "$job"
    wait "$job" || status=$?
    rm -f "$work/here/begun" "$work/here/asked"
    i=$(cd "$work/here" && echo *)
    [ "$status $i" = "$expected $files" ] || complain "$(basename "$script") $signal: '$status $i', expected '$expected $files'"
}

check_signals() {
    export STAND_IN_S=10 STAND_IN_STATUS=0
    speedup job slurm --program "$work/speedup" -- study pi >"$work/slurm" || complain "job slurm"
    run_job "$work/slurm" USR1 0 "closed requeued"
    [ "$(cat "$work/here/requeued" 2>/dev/null)" = "requeue 7" ] || complain "what is requeued"
    SLURM_RESTART_COUNT=20 run_job "$work/slurm" USR1 1 "closed"
    run_job "$work/slurm" TERM 130 "closed"
    for scheduler in pbs lsf; do
        speedup job $scheduler --program "$work/speedup" --cores-per-node 1 --walltime 1m --signal-before 58s -- study pi \
            >"$work/$scheduler" 2>"$work/notes" || complain "job $scheduler"
        STAND_IN_FILE=speedup-pi.jsonl STAND_IN_VALID=true run_job "$work/$scheduler" "" 75 "closed speedup-pi.jsonl"
        run_job "$work/$scheduler" TERM 130 "closed"
    done
    # What adds no sample that counts is not started again.
    run_job "$work/pbs" "" 1 "closed"
    STAND_IN_FILE=speedup-pi.jsonl STAND_IN_VALID=false run_job "$work/lsf" "" 1 "closed speedup-pi.jsonl"
    export STAND_IN_S=0
    for STAND_IN_STATUS in 0 4; do
        run_job "$work/slurm" "" $STAND_IN_STATUS "*"
        run_job "$work/pbs" "" $STAND_IN_STATUS "*"
    done
}

check_examples "${1:-}"
make_stand_in
check_signals
exit $failed
