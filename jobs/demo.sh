#!/usr/bin/env bash
# The lesson in one command: installs what is missing, builds, and runs `speedup demo` with the arguments given here.
set -uo pipefail

# shellcheck source=jobs/setup.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/setup.sh"

usage() {
    cat <<'END'
Usage: jobs/demo.sh [OPTIONS OF speedup demo]

Installs what is missing (Debian and Ubuntu; elsewhere it names the packages), builds Speedup, and runs the lesson:
the same work as one task, as many tasks on one core, as threads, as processes. It takes under two minutes on two cores,
and leaves a report, report.html, whose path it prints.

  --quick        under 20 seconds, with shorter samples
  --workers W    with W workers (default: one a core, from 2 to 8)
  -o DIR         where results and report go (default: ./speedup-results)
  -h, --help     this text

SPEEDUP_MPI=OFF jobs/demo.sh goes without MPI, and without the modes that need it.
END
}

# names_folder ARGUMENT... : -o is among them.
names_folder() {
    local argument
    for argument in "$@"; do
        case $argument in -o* | --output | --output=*) return 0 ;; esac
    done
    return 1
}

# Where the results go when nobody says: the current folder, or one that is ours to write in.
results_folder() {
    if [ -w "$PWD" ]; then
        printf '%s\n' "$PWD/speedup-results"
    elif [ -d "${HOME:-}" ] && [ -w "$HOME" ]; then
        printf '%s\n' "$HOME/speedup-results"
    else
        mktemp -d "${TMPDIR:-/tmp}/speedup-results.XXXXXX"
    fi
}

main() {
    local mpi=${SPEEDUP_MPI:-ON} build needs="compiler cmake pkg-config hwloc jansson mpi"
    case ${1:-} in -h | --help) usage && return 0 ;; esac
    [ "$mpi" = ON ] || needs=${needs% mpi}

    setup_tools "$needs" "blas nlopt gnuplot png" && build=$(setup_build_folder build) || return 1
    say "Building Speedup in $build ..."
    setup_build "$build" -DSPEEDUP_MPI="$mpi" || return 1

    names_folder "$@" || set -- "$@" -o "$(results_folder)"
    say "The program is $build/speedup: try its 'list', its 'run pi', or --help."
    exec "$build/speedup" demo "$@"
}

main "$@"
