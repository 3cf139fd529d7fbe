# shellcheck shell=bash
# For tests that start many ranks; sourced by them.

# ranks_without_search FOLDER: from here on mpirun starts ranks that do not look for leaks as they end, which with MPI's own
# takes a second each time; all else that a sanitizer finds, they find. FOLDER gets a file "mpirun". Needs $program.
ranks_without_search() {
    local mpirun=${SPEEDUP_MPIRUN:-$("$program" --version | sed -n 's/^MPI .*started by //p')}
    [ -n "$mpirun" ] || return 0
    # shellcheck disable=SC2016 # the file's own variables
    printf '#!/bin/sh\nexport ASAN_OPTIONS="$ASAN_OPTIONS:detect_leaks=0:fast_unwind_on_malloc=1"\nexec %q "$@"\n' \
        "$mpirun" >"$1/mpirun"
    chmod 755 "$1/mpirun"
    export SPEEDUP_MPIRUN=$1/mpirun
}
