#!/bin/bash
# Made by: speedup job lsf --nodes 4 --cores-per-node 32 --walltime 2h --module openmpi --program speedup -- study matmul --modes mpi --budget 100m
# Submit it with: bsub < FILE
#
# Whole hosts that nobody shares (-x), with so many ranks each (ptile). Exit status 75 says that the time was
# up: the job is requeued (-Q), and goes on, unless no sample was added.
#BSUB -J speedup-matmul
#BSUB -o speedup-matmul-%J.out
#BSUB -n 128
#BSUB -R "span[ptile=32]"
#BSUB -x
#BSUB -W 02:00
#BSUB -r
#BSUB -Q "75"

# A shell that is no login shell may not know modules yet.
if ! type module >/dev/null 2>&1; then . /etc/profile; fi
module load openmpi || exit

set -eu
export OMP_NUM_THREADS=1
speedup=speedup
file='speedup-matmul.jsonl'

echo "$(date '+%F %T'), job $LSB_JOBID, hosts and slots: $LSB_MCPU_HOSTS"
"$speedup" machine || true

# Signals are handed on to the study, which then closes its file. It runs in the background, since bash heeds no
# signal while something runs in the foreground.
study='' stopped='' time_is_up=''
stop() {
    stopped=yes
    if [ -n "$study" ]; then kill -TERM "$study" 2>/dev/null || true; fi
}
trap stop TERM INT
# Samples that count. A start that adds none would add none the next time either.
samples() { grep '"type":"sample"' "$file" 2>/dev/null | grep -vc '"valid":false' || true; }
before=$(samples)
timeout --foreground --signal=TERM "$((7080 - SECONDS))" "$speedup" study matmul --modes mpi --budget 100m --nodes 1,2,4 -o "$file" --resume &
study=$!
if [ -n "$stopped" ]; then stop; fi # one that came before there was a study
status=0
wait "$study" || status=$?
while kill -0 "$study" 2>/dev/null; do # the signal ended the wait alone
    status=0
    wait "$study" || status=$?
done
if [ "$status" -eq 124 ]; then time_is_up=yes status=130; fi # timeout's own status

if [ -n "$time_is_up" ] && [ "$status" -gt 128 ]; then # cut short: more is to be done
    if [ "$(samples)" -le "$before" ]; then
        echo "Time is up, and no sample was added to $file: give the job more time, or the study a smaller --size." >&2
        exit 1
    fi
    echo "Time is up: the job is requeued, and goes on with $file."
    exit 75
fi
exit "$status"
