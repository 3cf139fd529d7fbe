#!/bin/bash
# Predicts the communication of SUMMA and of exchange from the measured latency and bandwidth of a network, and compares
# it with what is measured there. To be run on the first of four nodes, with mpirun able to reach the others:
#
#     network.sh SPEEDUP PREDICT [FOLDER-FOR-RECORDS [PERCENT]]        (the two programs)
#
# Fails where a prediction is further off than PERCENT (20). Virtual nodes share the cores of one machine, so that
#   - ranks that wait yield the core (--wait-policy yield): one that polls would take the core from its partner, and the latency
#     would be a time slice of the scheduler's;
#   - each node has one of the CPUs, as vcluster shares them out;
#   - samples are disturbed by what are foreign programs to each node; medians of several are compared all the same;
#   - sizes are such that communication dominates: the work's own time is not predicted, and what hides behind work
#     depends on the cores.
# The switch has to limit both directions of each port, as the law takes a link for one.
set -u
program=${1:?the program speedup} predict=${2:?the program predict} records=${3:-$(mktemp -d)} percent=${4:-20}
hosts=${HOSTS:-node1:1,node2:1,node3:1,node4:1}
mkdir -p "$records" || exit 1

measure() { # FILE ARGUMENTS...
    local file=$records/$1.jsonl
    shift
    # 4: measured, but not valid.
    mpirun --host "$hosts" -n 4 "$program" run "$@" --wait-policy yield -o "$file" > "$file.log" 2>&1
    [ -s "$file" ] && grep -q '"type":"sample"' "$file" && return
    echo "network.sh: nothing was measured:" >&2
    cat "$file.log" >&2
    exit 1
}

measure law exchange --messages 300 --size 4MiB -w 0 -r 1
measure exchange exchange --messages 300 --size 1MiB --seed 2 -w 0 -r 1
measure summa-1024 matmul --size 1024 -w 1 -r 9
measure summa-1536 matmul --size 1536 -w 1 -r 9
exec "$predict" --disturbed --within "$percent" "$records"/{law,exchange,summa-1024,summa-1536}.jsonl
