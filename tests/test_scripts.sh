#!/usr/bin/env bash
# What jobs/demo.sh does on machines that lack something: in a sandbox whose PATH holds a few real tools and, for
# package managers, compilers and CMake, small fakes that write down how they were called. Nothing is installed.
set -uo pipefail

source_folder=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
sandbox=$(mktemp -d)
trap 'rm -rf "$sandbox"' EXIT
bin=$sandbox/bin
tree="$sandbox/a tree"
failures=0

fake() { # NAME: the script comes on standard input
    { printf '#!%s\ncalled() { echo "$*" >>%q; }\n' "$(command -v bash)" "$sandbox/calls" && cat; } >"$bin/$1"
    chmod +x "$bin/$1"
}

# A machine with nothing but the basics, for an ordinary user without sudo. Arguments: what is found there besides.
machine() {
    local tool
    rm -rf "${sandbox:?}"/{bin,home,"a tree"} && mkdir -p "$bin" "$tree" "$sandbox/home" "$sandbox/work"
    : >"$sandbox/calls"
    cp -r "$source_folder/jobs" "$tree/"
    for tool in bash cat chmod cut dirname env grep mkdir mktemp nproc paste rm sed sleep sort stat tail touch; do
        ln -s "$(command -v "$tool")" "$bin/$tool"
    done
    fake uname <<<'case $* in -m) echo x86_64 ;; *) echo Linux ;; esac'
    fake id <<<'echo 1000'
    fake ldconfig <<<':'
    for tool in "$@"; do provide "$tool"; done
}

provide() {
    case $1 in
    tools)
        fake cc <<<'cat >/dev/null'
        fake make <<<':'
        fake mpicc <<<':'
        fake mpirun <<<':'
        fake pkg-config <<<':'
        provide_cmake 3.25.1
        ;;
    blas) fake ldconfig <<<'echo "	libopenblas.so.0 (libc6) => /x"' ;;
    apt)
        fake apt-cache <<<"[ -e '$sandbox/updated' ]"
        rm -f "$sandbox/updated"
        fake apt-get <<END
called apt-get "\$@"
case " \$* " in
*" update "*) touch "$sandbox/updated" ;;
*" install "*) cp "$sandbox"/installed/* "$bin/" ;;
esac
END
        ln -s "$(command -v cp)" "$bin/cp"
        ;;
    sudo-free) fake sudo <<<'called sudo; shift; "$@"' ;;
    sudo-password) fake sudo <<<"[ \"\$1\" = -n ] || called asked for a password; exit 1" ;;
    root) fake id <<<'echo 0' ;;
    *) fake "$1" <<<"called $1 \"\$@\"" ;;
    esac
}

provide_cmake() {
    fake cmake <<END
program='#!$(command -v bash)
echo "ran \$*"; exit \${DEMO_STATUS:-0}'
case \$1 in
--version) echo "cmake version $1" ;;
-S) called cmake "\$@" && mkdir -p "\$4" ;;
--build) echo "\$program" >"\$2/speedup" && chmod +x "\$2/speedup" ;;
esac
END
}

# demo [NAME=VALUE...] -- ARGUMENT...: runs it without a terminal; leaves $status and $output.
demo() {
    local environment=()
    while [ "$1" != -- ]; do environment+=("$1") && shift; done
    shift
    output=$(cd "$sandbox/work" && env -i PATH="$bin" HOME="$sandbox/home" ${environment[@]+"${environment[@]}"} \
        "$bin/bash" "$tree/jobs/demo.sh" "$@" 2>&1 </dev/null)
    status=$?
}

expect() { # WHAT CONDITION...
    local what=$1
    shift
    "$@" && return 0
    failures=$((failures + 1))
    printf 'FAILED: %s\n  status %s, output:\n%s\n  calls:\n%s\n' "$what" "$status" "$output" "$(cat "$sandbox/calls")"
}
ended() { [ "$status" -eq "$1" ]; }
said() { grep -F -- "$1" <<<"$output" >/dev/null; }
did() { grep -F -- "$1" "$sandbox/calls" >/dev/null; }
did_not() { ! did "$@"; }

packages="build-essential cmake pkg-config libhwloc-dev libjansson-dev libopenmpi-dev openmpi-bin libopenblas0-pthread libnlopt-dev gnuplot-nox libpng-dev"

# What apt-get install would bring.
machine tools blas gnuplot
mkdir "$sandbox/installed" && cp "$bin"/{cc,make,mpicc,mpirun,pkg-config,cmake,ldconfig,gnuplot} "$sandbox/installed/"

machine apt
demo --
expect "a user without sudo is told the command" said \
    "sudo apt-get update && sudo apt-get install -y --no-install-recommends $packages"
expect "a user without sudo is told why" said "hwloc 2.0 or newer: to tell the cores"
expect "a user without sudo gets status 1" ended 1
expect "a user without sudo installs nothing" did_not apt-get

machine apt sudo-password
demo --
expect "no password is asked for without a terminal" did_not "asked for a password"
expect "without a password it stops" ended 1

machine apt root
demo -- --quick -o "a folder"
expect "root installs and runs" ended 0
expect "root updates unknown lists" did "update"
expect "root installs what is missing" did "install -y --no-install-recommends $packages"
expect "the demo gets its arguments" said "ran demo --quick -o a folder"
: >"$sandbox/calls"
demo -- --quick
expect "a second time installs nothing" did_not apt-get
expect "a second time runs, with results in the current folder" said "ran demo --quick -o $sandbox/work/speedup-results"

machine apt sudo-free
demo --
expect "sudo without a password is used" did sudo
expect "sudo without a password runs" ended 0

machine tools apt
demo DEMO_STATUS=4 --
expect "what is only useful stops nobody" said "ran demo"
expect "what is lost is said" said "Going on without: an optimised BLAS"
expect "the demo's status is passed on" ended 4
expect "what is only useful is not installed with a password" did_not apt-get

for manager in dnf pacman zypper brew; do
    machine "$manager"
    demo --
    expect "$manager: stops" ended 1
    expect "$manager: names packages" said "jansson"
    expect "$manager: is not run" did_not "$manager"
done
machine dnf
demo --
expect "dnf's packages" said "sudo dnf install gcc make cmake pkgconf-pkg-config hwloc-devel jansson-devel"
machine pacman
demo --
expect "pacman's packages" said "sudo pacman -S --needed base-devel cmake pkgconf hwloc jansson openmpi openblas nlopt gnuplot libpng"

machine
demo MODULESHOME=/opt/modules --
expect "modules" said "module load gcc cmake hwloc openmpi openblas"

machine tools blas gnuplot
demo --
expect "any Linux with all of it builds" said "ran demo"
expect "any Linux with all of it: MPI is wanted" did "-DSPEEDUP_MPI=ON"

machine tools blas gnuplot
rm "$bin/mpicc" "$bin/mpirun"
fake cc <<<'! grep -F mpi.h >/dev/null'
demo --
expect "without MPI it stops" ended 1
expect "without MPI it says how to go on" said "SPEEDUP_MPI=OFF"
demo SPEEDUP_MPI=OFF --
expect "without MPI it can go on" said "ran demo"
expect "without MPI it builds without" did "-DSPEEDUP_MPI=OFF"

machine tools blas gnuplot
provide_cmake 3.10.2
demo --
expect "an old CMake" said "CMake 3.16 or newer"
expect "an old CMake stops" ended 1

machine tools blas gnuplot
fake uname <<<'echo Darwin'
demo --
expect "macOS" said "Speedup runs on Linux"
expect "macOS stops" ended 1

# Somebody else's tree: root cannot be kept out of a folder, but it can find one that is not its own.
machine tools blas gnuplot
if [ "$EUID" -eq 0 ]; then
    mkdir "$tree/build" && chown 65534 "$tree/build"
    reason="was made by another user"
else
    chmod a-w "$tree"
    reason="cannot be written to"
fi
demo --
expect "somebody else's tree is said" said "$reason"
expect "somebody else's tree is built in the cache" did "-B $sandbox/home/.cache/speedup/build"
expect "somebody else's tree runs" said "ran demo"
chmod u+w "$tree"

machine tools blas gnuplot
mkdir "$tree/build" && echo "CMAKE_HOME_DIRECTORY:INTERNAL=/somewhere/else" >"$tree/build/CMakeCache.txt"
demo --
expect "a copied build folder starts afresh" [ ! -e "$tree/build/CMakeCache.txt" ]

machine
demo -- --help
expect "help needs nothing" ended 0
output=$(bash "$source_folder/tests/run.sh" --nonsense 2>&1)
status=$?
expect "an unknown argument" ended 2

[ "$failures" -eq 0 ] && echo "all as expected"
