#!/usr/bin/env bash
# The set-up and all tests. Ends with "N passed, N failed" alone on a line; status 0 only where nothing failed.
set -uo pipefail

# shellcheck source=jobs/setup.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../jobs/setup.sh"

usage() {
    cat <<'END'
Usage: tests/run.sh [--long] [--cluster [--faults N]]

Installs what is missing (Debian and Ubuntu; elsewhere it names the packages) and runs:
  - a release build, warnings being errors, and all tests
  - a build with the address and undefined-behaviour sanitizers, and the same tests
  - a build with clang, warnings being errors, where clang is installed
  - formatting and scripts, where clang-format 14 and shellcheck are installed
  - a build without MPI, and what must work in it
  - an installation into a temporary folder, and what must work from there
  - studies on clusters of namespaces on this machine, with Slurm where it is installed, and faults in them

  --cluster    the last alone, on a release build
  --faults N   each fault there N times (default 1)
  --long       also: the thread sanitizer, valgrind, EP of class C, a study killed 50 times, and (as root) the demo as an
               ordinary user; with sanitizers also whole what else is short there (kernels on 3, 4 and 5 ranks, leaks of
               every rank, more of matmul and EP); switches watched for longer; installs the tools
  -h, --help   this text
END
}

passed=0
failed=0
skipped=0
long=false
mpi=ON
temporary=

pass() { passed=$((passed + 1)) && printf 'ok      %s\n' "$1"; }
fail() { failed=$((failed + 1)) && printf 'FAILED  %s\n' "$1"; }
skip() { skipped=$((skipped + 1)) && printf 'skipped %s: %s\n' "$1" "$2"; }

# check NAME COMMAND... : passes where the command's status is 0; shows its output where not.
check() {
    local name=$1 log=$temporary/check.log
    shift
    if ("$@") >"$log" 2>&1 </dev/null; then
        pass "$name"
    else
        tail -n 40 "$log"
        fail "$name"
        return 1
    fi
}

# run_ctest NAME FOLDER [CTEST COMMAND...]: adds each test's outcome to the counts. Those that place workers on cores run
# alone (speedup_alone in tests/CMakeLists.txt), the others several at a time.
run_ctest() {
    local name=$1 folder=$2 log=$2/ctest.log status=0 good all missed
    shift 2
    if [ $# -eq 0 ]; then
        set -- ctest --parallel $(($(nproc) + 1)) # one of them mostly waits
        if $long; then set -- "$@" -C long; fi
    fi
    (cd "$folder" && "$@" --output-on-failure </dev/null) 2>&1 | tee "$log" || status=$?
    good=$(grep -cE '^ *[0-9]+/[0-9]+ Test +#[0-9]+: .* Passed +[0-9]' "$log")
    missed=$(grep -cE '^ *[0-9]+/[0-9]+ Test +#[0-9]+: .*\*\*\*(Skipped|Not Run \(Disabled\))' "$log")
    all=$(grep -cE '^ *[0-9]+/[0-9]+ Test +#[0-9]+: ' "$log")
    passed=$((passed + good))
    skipped=$((skipped + missed))
    failed=$((failed + all - good - missed))
    [ "$all" -gt 0 ] || fail "$name: no test ran"
    [ "$status" -eq 0 ] || [ "$all" -gt $((good + missed)) ] || fail "$name: ctest ended with status $status"
}

# build NAME FOLDER CMAKE_ARGUMENT...
build() {
    local name=$1 folder=$2 start=$SECONDS
    shift
    printf '\n== %s\n' "$name"
    if setup_build "$@" 2>&1; then
        pass "$name: builds ($((SECONDS - start)) s)"
    else
        fail "$name: builds"
        return 1
    fi
}

check_formatting() {
    find "$speedup_source"/{kernels,src,tests} -name '*.[ch]' -print0 | xargs -0 clang-format --dry-run --Werror
}

check_scripts() {
    cd "$speedup_source" &&
        shellcheck -x --severity=warning jobs/*.sh jobs/*.sbatch tests/*.sh tests/cluster/{run.sh,network.sh,vcluster} .ci/run
}

check_text() {
    printf '\n== text\n'
    if clang-format --version 2>/dev/null | grep ' 14\.' >/dev/null; then
        check "formatting" check_formatting
    else
        skip "formatting" "clang-format 14 is not installed (other versions format differently)"
    fi
    if setup_found shellcheck; then
        check "scripts" check_scripts
    else
        skip "scripts" "shellcheck is not installed"
    fi
}

# The MPI modes are named, with the reason why they are not to be had; and asking for one says so.
lacks_mpi_modes() {
    local program=$1 status=0 text
    "$program" list | grep -A 3 'multitask-mpi' | grep 'not available here' || return 1
    text=$("$program" run pi --mode mpi --workers 2 --size 1000 2>&1) || status=$?
    printf '%s (status %s)\n' "$text" "$status"
    [ "$status" -eq 1 ] && [ "$(printf '%s\n' "$text" | wc -l)" -eq 1 ]
}

# leaves_report PROGRAM FOLDER: the demo ends well and leaves its two files.
leaves_report() {
    (cd "$temporary" && "$1" demo --quick -o "$2") && [ -s "$2/results.jsonl" ] && grep -i '</html>' "$2/report.html"
}

check_program() {
    local name=$1 program=$2
    check "$name: list" "$program" list
    check "$name: machine" "$program" machine
    check "$name: run pi in threads" "$program" run pi --mode threads --workers 2 --size 1000000
}

check_without_mpi() {
    local folder=$1/without-mpi
    build "without MPI" "$folder" -DSPEEDUP_WERROR=ON -DSPEEDUP_MPI=OFF -DSPEEDUP_TESTS=OFF || return
    check_program "without MPI" "$folder/speedup"
    check "without MPI: says that the MPI modes are unavailable" lacks_mpi_modes "$folder/speedup"
    check "without MPI: demo --quick" leaves_report "$folder/speedup" "$temporary/demo without MPI"
}

check_installation() {
    local prefix="$temporary/an installed tree"
    printf '\n== installation\n'
    check "installation: installs" cmake --install "$1/release" --prefix "$prefix" || return
    check_program "installation" "$prefix/bin/speedup"
    [ "$mpi" = OFF ] ||
        check "installation: run pi with MPI" "$prefix/bin/speedup" run pi --mode mpi --workers 2 --size 1000000
    check "installation: licence and README" ls "$prefix"/share/doc/speedup/{LICENSE,README.md}
}

# Only clang's OpenMP tells the thread sanitizer (by Archer) what its barriers order; MPI's libraries do not at all.
check_threads() {
    local folder=$1/thread archer
    setup_found clang-rt || { skip "thread sanitizer" "clang's run-time libraries are not installed" && return; }
    archer=$(clang -print-resource-dir)/../../libarcher.so
    [ -e "$archer" ] || { skip "thread sanitizer" "libarcher.so (libomp-dev) is not installed" && return; }
    build "thread sanitizer" "$folder" -DCMAKE_C_COMPILER=clang -DCMAKE_BUILD_TYPE=Debug -DSPEEDUP_SANITIZE=thread \
        -DSPEEDUP_MPI=OFF || return
    # The sanitizer's memory map needs addresses without much randomness (setarch -R). Whole runs take too long with it.
    OMP_TOOL_LIBRARIES=$archer TSAN_OPTIONS="ignore_noninstrumented_modules=1 allocator_may_return_null=1" \
        run_ctest "thread sanitizer" "$folder" setarch "$(uname -m)" -R ctest -E 'scripts|golden|end_to_end'
}

# The modules without threads and without the machine, which valgrind replaces by one of its own.
check_valgrind() {
    local folder=$1/without-mpi-debug name
    setup_found valgrind || { skip "valgrind" "it is not installed" && return; }
    build "valgrind" "$folder" -DCMAKE_BUILD_TYPE=Debug -DSPEEDUP_MPI=OFF || return
    for name in kernel_text blocks config plan study_plan options launch_line judge record analyse factors present; do
        check "valgrind: test_$name" env SPEEDUP_PROGRAM="$folder/speedup" SPEEDUP_SOURCE="$speedup_source" \
            valgrind --quiet --leak-check=full --errors-for-leak-kinds=definite --error-exitcode=9 \
            "$folder/tests/test_$name"
    done
    for name in "matmul 40" "lanes" "functions 20"; do
        [ -e "$folder/tests/test_${name%% *}" ] || { skip "valgrind: test_${name%% *}" "it was not built" && continue; }
        # shellcheck disable=SC2086 # a name and an argument
        check "valgrind: test_${name%% *}" env OMP_WAIT_POLICY=passive valgrind --quiet --leak-check=full \
            --errors-for-leak-kinds=definite --error-exitcode=9 "$folder/tests/"test_$name
    done
}

# The whole demonstration by somebody who is not root, in a copy of the tree, with a space in its path.
run_as_nobody() {
    local home="$temporary/no body"
    mkdir -p "$home/speed up"
    tar -C "$speedup_source" --exclude='./build*' --exclude=./.git -cf - . | tar -C "$home/speed up" -xf -
    chmod 755 "$temporary" && chown -R 65534:65534 "$home" && cd / &&
        setpriv --reuid=65534 --regid=65534 --clear-groups env -i PATH="$PATH" HOME="$home" SPEEDUP_MPI="$mpi" \
            "$home/speed up/jobs/demo.sh" --quick && [ -s "$home/speedup-results/report.html" ]
}

# Counts the lines that tests/cluster/run.sh prints. The programs are those of the release build.
check_cluster() {
    local folder=$1/release log=$temporary/cluster.log
    printf '\n== several nodes\n'
    [ -x "$folder/tests/cluster_switch" ] || { fail "cluster: the release build is not complete" && return; }
    SPEEDUP_PROGRAM=$folder/speedup SPEEDUP_SWITCH=$folder/tests/cluster_switch \
        bash "$speedup_source/tests/cluster/run.sh" --faults "$2" 2>&1 </dev/null | tee "$log"
    passed=$((passed + $(grep -c '^ok      ' "$log")))
    failed=$((failed + $(grep -c '^FAILED  ' "$log")))
    skipped=$((skipped + $(grep -c '^skipped ' "$log")))
    grep -qE '^(ok      |FAILED  |skipped )' "$log" || fail "cluster: no check ran"
}

# Published results that take a while.
check_published() {
    printf '\n== published results\n'
    check "EP of class C" "$1/release/tests/test_montecarlo" C
}

check_ordinary_user() {
    printf '\n== an ordinary user\n'
    if [ "$(id -u)" -ne 0 ]; then
        skip "demo as an ordinary user" "this run is already by one"
    else
        check "demo as an ordinary user" run_as_nobody
    fi
}

# check_all FOLDER FAULTS
check_all() {
    local folder=$1 faults=$2 clang_type=Debug # clang's warnings are the same, in less time
    if $long; then clang_type=Release; fi
    check_text
    build "release" "$folder/release" -DSPEEDUP_WERROR=ON -DSPEEDUP_MPI="$mpi" && run_ctest "release" "$folder/release"
    build "sanitizers" "$folder/sanitizers" -DSPEEDUP_WERROR=ON -DSPEEDUP_MPI="$mpi" -DCMAKE_BUILD_TYPE=Debug \
        -DSPEEDUP_SANITIZE=address,undefined && run_ctest "sanitizers" "$folder/sanitizers"
    if setup_found clang; then
        build "clang" "$folder/clang" -DSPEEDUP_WERROR=ON -DSPEEDUP_MPI="$mpi" -DCMAKE_C_COMPILER=clang -DCMAKE_BUILD_TYPE=$clang_type
    else
        skip "clang: builds" "clang with OpenMP is not installed"
    fi
    check_without_mpi "$folder"
    check_installation "$folder"
    check_cluster "$folder" "$faults"
    if $long; then
        check_threads "$folder"
        check_valgrind "$folder"
        check_published "$folder"
        printf '\n== a study that is killed 50 times\n'
        check "study: killed 50 times" env SPEEDUP_PROGRAM="$folder/release/speedup" bash "$speedup_source/tests/study.sh" 50
        check_ordinary_user
    fi
}

main() {
    local cluster_alone=false faults='' needs="compiler cmake pkg-config hwloc jansson cmocka pgrep mpi" wanted="blas nlopt gnuplot png mpfr browser programs mpich slurm" folder
    while [ $# -gt 0 ]; do
        case $1 in
        --long) long=true && wanted="blas nlopt gnuplot png mpfr browser programs mpich slurm clang clang-rt clang-format valgrind shellcheck" ;;
        -h | --help) usage && return 0 ;;
        --cluster) cluster_alone=true ;;
        --faults)
            [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || { say "tests/run.sh: --faults takes a number from 1 on" && return 2; }
            faults=$2 && shift
            ;;
        *) say "tests/run.sh: unknown argument '$1'; known are --long, --cluster, --faults and --help" && return 2 ;;
        esac
        shift
    done
    mpi=${SPEEDUP_MPI:-ON}
    # Injected faults take minutes.
    if [ -z "$faults" ]; then { $long || $cluster_alone; } && faults=1 || faults=0; fi
    [ "$mpi" = ON ] || needs=${needs% mpi}

    setup_tools "$needs" "$wanted" && folder=$(setup_build_folder build-tests) || return 1
    temporary=$(mktemp -d)
    trap 'rm -rf "$temporary"' EXIT
    trap 'exit 130' INT TERM

    if $cluster_alone; then
        build "release" "$folder/release" -DSPEEDUP_WERROR=ON -DSPEEDUP_MPI="$mpi" && check_cluster "$folder" "$faults"
    else
        check_all "$folder" "$faults"
    fi

    printf '\n%d passed, %d failed' "$passed" "$failed"
    [ "$skipped" -eq 0 ] || printf ', %d skipped' "$skipped"
    printf '\n'
    [ "$failed" -eq 0 ]
}

main "$@"
