# shellcheck shell=bash
# What jobs/demo.sh and tests/run.sh share: find what is missing, install it where that is possible, configure, build.
# Source it: it defines functions, and $speedup_source, the folder of CMakeLists.txt.
#
# A need is found by what it does (a compiler that knows OpenMP, a module that pkg-config knows), never by a package's
# name: environment modules, Spack and libraries built by hand count as much. Everything said here goes to stderr.

speedup_source=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)

say() { printf '%s\n' "$*" >&2; }

# need | Debian, Ubuntu | dnf | pacman | zypper | brew | module | what it is for
setup_table() {
    cat <<'END'
compiler|build-essential|gcc make|base-devel|gcc make|gcc make|gcc|a C compiler with OpenMP, and make: to build Speedup
cmake|cmake|cmake|cmake|cmake|cmake|cmake|CMake 3.16 or newer: to configure the build
pkg-config|pkg-config|pkgconf-pkg-config|pkgconf|pkg-config|pkgconf|-|pkg-config: to find the libraries below
hwloc|libhwloc-dev|hwloc-devel|hwloc|hwloc-devel|hwloc|hwloc|hwloc 2.0 or newer: to tell the cores, and bind workers
jansson|libjansson-dev|jansson-devel|jansson|libjansson-devel|jansson|-|Jansson 2.10 or newer: the result files (JSON)
mpi|libopenmpi-dev openmpi-bin|openmpi-devel|openmpi|openmpi4-devel|open-mpi|openmpi|MPI: workers that are processes
blas|libopenblas0-pthread|openblas|openblas|libopenblas_pthreads0|openblas|openblas|an optimised BLAS: matmul's variant blas
nlopt|libnlopt-dev|NLopt-devel|nlopt|nlopt-devel|nlopt|-|NLopt: scaling laws fitted to measured times
gnuplot|gnuplot-nox|gnuplot|gnuplot|gnuplot|gnuplot|gnuplot|gnuplot: figures as files, curves in the report
png|libpng-dev|libpng-devel|libpng|libpng16-devel|libpng|-|libpng: pictures of what a kernel computed
cmocka|libcmocka-dev|libcmocka-devel|cmocka|libcmocka-devel|cmocka|-|cmocka: the unit tests
mpfr|libmpfr-dev|mpfr-devel|mpfr|mpfr-devel|mpfr|-|MPFR: the tests of the errors of vector functions
pgrep|procps|procps-ng|procps-ng|procps|-|-|pgrep: the tests look for processes left behind
programs|hpcc openssl xz-utils sysbench stress-ng make python3|openssl xz sysbench stress-ng make python3|openssl xz sysbench stress-ng make python|openssl xz sysbench stress-ng make python3|-|-|hpcc, openssl, xz, sysbench, stress-ng, make, python3: programs that the tests diagnose
mpich|mpich libmpich-dev|mpich-devel|-|-|-|-|MPICH beside Open MPI: the tests mix them up on purpose
slurm|slurmctld slurmd slurm-client iproute2|slurm-slurmctld slurm-slurmd slurm iproute|slurm-llnl iproute2|slurm slurm-node iproute2|-|-|Slurm and iproute2: the tests bring up a cluster on this machine
browser|chromium chromium-driver|chromium chromedriver|chromium|chromium chromedriver|-|-|Chromium and chromedriver: the test of the reports in a browser
clang|clang libomp-dev|clang libomp-devel|clang openmp|clang libomp-devel|llvm libomp|-|clang with OpenMP: its warnings too
clang-rt|-|compiler-rt|compiler-rt|-|-|-|clang's run-time libraries: the thread sanitizer
clang-format|clang-format|clang-tools-extra|clang|clang-tools|clang-format|-|clang-format: the check of the formatting
valgrind|valgrind|valgrind|valgrind|valgrind|valgrind|-|valgrind: a second look at memory
shellcheck|shellcheck|ShellCheck|shellcheck|ShellCheck|shellcheck|-|shellcheck: the check of the scripts
END
}

# setup_column NEED NUMBER: that column of that need's row, "" for "-".
setup_column() {
    local text
    text=$(setup_table | grep "^$1|" | cut -d'|' -f"$2")
    [ "$text" = - ] || printf '%s\n' "$text"
}

# setup_version_at_least HAVE WANT, both MAJOR.MINOR...
setup_version_at_least() {
    local have_major=${1%%.*} have_minor=${1#*.} want_major=${2%%.*} want_minor=${2#*.}
    have_minor=${have_minor%%[!0-9]*}
    [ "$have_major" -gt "$want_major" ] ||
        { [ "$have_major" -eq "$want_major" ] && [ "${have_minor:-0}" -ge "$want_minor" ]; }
}

# setup_compiles FLAG... : the program on standard input passes the compiler that CMake will take.
setup_compiles() {
    local compiler name
    read -r -a compiler <<<"${CC:-}"
    for name in cc gcc clang; do
        [ "${#compiler[@]}" -eq 0 ] && command -v "$name" >/dev/null && compiler=("$name")
    done
    [ "${#compiler[@]}" -gt 0 ] && "${compiler[@]}" "$@" -fsyntax-only -x c - >/dev/null 2>&1
}

# The loader would find a library whose name begins so.
setup_library() {
    local folder folders
    PATH=$PATH:/usr/sbin:/sbin ldconfig -p 2>/dev/null | grep "^[[:space:]]*$1" >/dev/null && return 0
    IFS=: read -r -a folders <<<"${LD_LIBRARY_PATH:-}"
    for folder in ${folders[@]+"${folders[@]}"}; do
        compgen -G "$folder/$1*" >/dev/null && return 0
    done
    return 1
}

# setup_commands NAME... : all of them are in the path.
setup_commands() {
    local name
    for name in "$@"; do
        command -v "$name" >/dev/null || return 1
    done
}

setup_found() {
    local version
    case $1 in
    compiler)
        { command -v make || command -v ninja; } >/dev/null &&
            printf '#include <stdio.h>\n#include <omp.h>\n' | setup_compiles -fopenmp
        ;;
    cmake)
        version=$(cmake --version 2>/dev/null | sed -n '1s/[^0-9]*//p')
        [ -n "$version" ] && setup_version_at_least "$version" 3.16
        ;;
    pkg-config) command -v pkg-config >/dev/null ;;
    hwloc) pkg-config --exists 'hwloc >= 2.0' 2>/dev/null ;;
    jansson) pkg-config --exists 'jansson >= 2.10' 2>/dev/null ;;
    nlopt | cmocka) pkg-config --exists "$1" 2>/dev/null ;;
    png) pkg-config --exists libpng 2>/dev/null ;;
    mpfr) pkg-config --exists mpfr 2>/dev/null || printf '#include <stdio.h>\n#include <mpfr.h>\n' | setup_compiles ;;
    mpi) # Cray's compiler needs no mpicc, Slurm's srun no mpirun
        { command -v mpicc >/dev/null || echo '#include <mpi.h>' | setup_compiles; } &&
            { command -v mpirun || command -v mpiexec || command -v srun; } >/dev/null
        ;;
    blas) [ -n "${SPEEDUP_BLAS:-}" ] || setup_library libopenblas || setup_library libblis || setup_library libmkl_rt ;;
    clang) command -v clang >/dev/null && echo '#include <omp.h>' | clang -fopenmp -fsyntax-only -x c - 2>/dev/null ;;
    browser) command -v chromedriver >/dev/null && { command -v chromium || command -v google-chrome; } >/dev/null ;;
    clang-rt) [ -n "$(setup_clang_runtime tsan)" ] ;;
    programs) setup_commands hpcc openssl xz sysbench stress-ng make /usr/bin/python3 ;;
    slurm) PATH=$PATH:/usr/sbin:/sbin setup_commands slurmctld slurmd srun sbatch ip ;;
    mpich) command -v mpicc.mpich >/dev/null || [ -e /usr/lib64/mpich/bin/mpicc ] ;;
    *) command -v "$1" >/dev/null ;;
    esac
}

# The path of clang's run-time library of that name, "" where it is not installed.
setup_clang_runtime() {
    local path
    for path in "$(clang -print-resource-dir 2>/dev/null)"/lib/*/libclang_rt."$1"*.a; do
        [ -e "$path" ] && printf '%s\n' "$path" && return 0
    done
    return 0
}

# Debian names this package by clang's version; older releases ship it with clang itself.
setup_clang_runtime_package() {
    local version
    version=$(apt-cache depends clang 2>/dev/null | sed -n 's/.*Depends: clang-\([0-9]*\)$/\1/p')
    [ -n "$version" ] && apt-cache show "libclang-rt-$version-dev" >/dev/null 2>&1 &&
        printf 'libclang-rt-%s-dev\n' "$version"
}

setup_manager() {
    local name
    for name in apt-get dnf pacman zypper brew; do
        command -v "$name" >/dev/null && printf '%s\n' "$name" && return 0
    done
    return 1
}

# setup_packages MANAGER NEED... : the packages, in one line.
setup_packages() {
    local manager=$1 number=2 need name packages=()
    for name in apt-get dnf pacman zypper brew module; do
        [ "$name" = "$manager" ] && break
        number=$((number + 1))
    done
    shift
    for need in "$@"; do
        name=$(setup_column "$need" "$number")
        [ "$manager/$need" = apt-get/clang-rt ] && name=$(setup_clang_runtime_package)
        [ -n "$name" ] && packages+=("$name")
    done
    printf '%s\n' "${packages[*]}"
}

# setup_on_linux: stops with what helps where this is no Linux.
setup_on_linux() {
    case $(uname -s) in
    Linux) return 0 ;;
    Darwin)
        say "Speedup runs on Linux: macOS does not let a program choose the core of a thread. A virtual machine will" \
            "do, for example by Multipass (brew install --cask multipass): run this script in it."
        ;;
    MINGW* | MSYS* | CYGWIN*) say "Speedup runs on Linux: install WSL2 (wsl --install), and run this script in it." ;;
    *) say "Speedup runs on Linux, and this is $(uname -s). A virtual machine with Linux will do." ;;
    esac
    return 1
}

# The command that installs, for a person to type.
setup_command_text() {
    local manager=$1 sudo="sudo "
    [ "$(id -u)" -eq 0 ] && sudo=""
    shift
    case $manager in
    apt-get) echo "${sudo}apt-get update && ${sudo}apt-get install -y --no-install-recommends $*" ;;
    dnf) echo "${sudo}dnf install $*" ;;
    pacman) echo "${sudo}pacman -S --needed $*" ;;
    zypper) echo "${sudo}zypper install $*" ;;
    brew) echo "brew install $*" ;;
    esac
}

# Says how to get the needs where this script does not install them itself.
setup_say_how() {
    local manager modules
    if manager=$(setup_manager); then
        say "Install them with:"
        # shellcheck disable=SC2046 # packages are words
        say "    $(setup_command_text "$manager" $(setup_packages "$manager" "$@"))"
    fi
    case $manager in
    dnf)
        say "(RHEL and its relatives: first enable the repository of developers' packages, dnf config-manager" \
            "--set-enabled crb. MPI is then loaded by: module load mpi/openmpi-$(uname -m))"
        ;;
    zypper) say "(MPI then needs its folder in the path: PATH=/usr/lib64/mpi/gcc/openmpi4/bin:\$PATH)" ;;
    esac
    modules=$(setup_packages module "$@")
    if [ -n "${MODULESHOME:-}${LMOD_CMD:-}" ] && [ -n "$modules" ]; then
        say "On a cluster, modules may have them (names differ; see module avail):"
        say "    module load $modules"
    fi
    if [ -n "${MODULESHOME:-}${LMOD_CMD:-}" ] || [ -z "$manager" ]; then
        say "Without root, Spack or conda-forge have all of it; PKG_CONFIG_PATH tells where libraries are."
    fi
}

# How to become root: prints nothing (root already), "sudo" or "sudo -n"; status 1 where there is no way. A password is
# only ever asked for on a terminal, and only for what is needed ($1: required or optional).
setup_root_by() {
    [ "$(id -u)" -eq 0 ] && return 0
    command -v sudo >/dev/null || return 1
    sudo -n true 2>/dev/null && echo "sudo -n" && return 0
    [ "$1" = required ] && [ -t 0 ] && [ -t 2 ] && echo sudo
}

# setup_apt ROOT_BY LOG ARGUMENT... : apt-get without questions; waits for another apt-get to end.
setup_apt() {
    local root_by=$1 log=$2
    shift 2
    # shellcheck disable=SC2086 # "sudo -n" is two words
    $root_by env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=120 -o Dpkg::Use-Pty=0 "$@" \
        </dev/null >"$log" 2>&1
}

# apt-get update does not wait for a lock by itself: a fresh machine often updates in the background at first.
setup_apt_update() {
    local tries=0
    until setup_apt "$1" "$2" update; do
        tries=$((tries + 1))
        { grep 'Could not get lock' "$2" >/dev/null && [ "$tries" -lt 12 ]; } || return 1
        say "Another apt-get is at work: waiting 10 s."
        sleep 10
    done
}

# setup_apt_unknown PACKAGE... : status 0 where the package lists lack one of them, as those of a new machine do.
setup_apt_unknown() {
    local name
    for name in "$@"; do
        apt-cache show "$name" >/dev/null 2>&1 || return 0
    done
    return 1
}

# setup_apt_packages NEED... : their packages, one a line; those without which this release has to do are left out.
setup_apt_packages() {
    local name
    # shellcheck disable=SC2046 # packages are words
    for name in $(setup_packages apt-get "$@"); do
        setup_apt_unknown "$name" || printf '%s\n' "$name"
    done
}

# setup_install_apt ROOT_BY NEED... : updates the lists only where they do not know a package, or are out of date.
setup_install_apt() {
    local root_by=$1 log packages status=0
    shift
    log=$(mktemp)
    # shellcheck disable=SC2046 # packages are words
    if setup_apt_unknown $(setup_packages apt-get "$@"); then
        setup_apt_update "$root_by" "$log" ||
            { tail -n 5 "$log" >&2 && say "apt-get update failed; going on with what it knows."; }
    fi
    mapfile -t packages < <(setup_apt_packages "$@")
    if ! setup_apt "$root_by" "$log" install -y --no-install-recommends "${packages[@]}"; then
        say "apt-get install failed. The package lists may be out of date: updating them, and once more."
        setup_apt_update "$root_by" "$log"
        setup_apt "$root_by" "$log" install -y --no-install-recommends "${packages[@]}" || status=$?
    fi
    [ "$status" -eq 0 ] || tail -n 15 "$log" >&2
    rm -f "$log"
    return "$status"
}

# setup_missing NEED... : those that are not found.
setup_missing() {
    local need missing=()
    for need in "$@"; do
        setup_found "$need" || missing+=("$need")
    done
    printf '%s\n' "${missing[*]-}"
}

setup_say_missing() {
    local need
    for need in "$@"; do
        say "    $(setup_column "$need" 8)"
    done
}

# setup_tools "NEED..." "NEED...": makes sure of the first, which are required, and of the second, which are not, as far
# as it can. Status 1 where a required one is missing and stays so: it has said what to do.
setup_tools() {
    local required optional root_by='' kind=required tried=false
    setup_on_linux || return 1
    # shellcheck disable=SC2086 # needs are words
    { required=$(setup_missing $1) && optional=$(setup_missing $2); }
    [ -z "$required$optional" ] && return 0

    say "Missing on this machine:"
    # shellcheck disable=SC2086
    setup_say_missing $required $optional
    [ -n "$required" ] || kind=optional
    if [ "$(setup_manager)" = apt-get ] && root_by=$(setup_root_by "$kind"); then
        tried=true
        # shellcheck disable=SC2086
        say "Installing (a minute or two): $(setup_packages apt-get $required $optional)"
        # shellcheck disable=SC2086
        setup_install_apt "$root_by" $required $optional || say "apt-get could not install all of it."
        # shellcheck disable=SC2086
        { required=$(setup_missing $1) && optional=$(setup_missing $2); }
    fi
    [ -z "$required$optional" ] && return 0

    if [ -n "$required" ]; then
        # shellcheck disable=SC2086
        $tried && say "Still missing, and needed:" && setup_say_missing $required
        # shellcheck disable=SC2086
        setup_say_how $required $optional
        [ "$required" != mpi ] || say "Or go on without the modes that need MPI: SPEEDUP_MPI=OFF $0"
        return 1
    fi
    # shellcheck disable=SC2086
    say "Going on without: $(for need in $optional; do setup_column "$need" 8; done | paste -sd';' | sed 's/;/; /g')"
    # shellcheck disable=SC2086
    setup_say_how $optional
}

# setup_build_folder NAME: where to build; beside CMakeLists.txt where we may write, else in the user's cache.
setup_build_folder() {
    local folder=$speedup_source/$1 cache=${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}
    if [ -d "$folder" ] && [ -O "$folder" ] && [ -w "$folder" ]; then
        printf '%s\n' "$folder" && return 0
    fi
    if [ ! -e "$folder" ] && mkdir "$folder" 2>/dev/null; then
        printf '%s\n' "$folder" && return 0
    fi
    if ! mkdir -p "$cache/speedup/$1" 2>/dev/null || [ ! -w "$cache/speedup/$1" ]; then
        cache=${TMPDIR:-/tmp}/speedup-$(id -un 2>/dev/null || id -u)
        (umask 077 && mkdir -p "$cache/speedup/$1")
        [ -O "$cache" ] || { say "$cache is not yours: set XDG_CACHE_HOME to a folder of your own" && return 1; }
    fi
    if [ -e "$folder" ]; then
        say "$folder was made by another user ($(stat -c %U "$folder")), so this builds in $cache/speedup/$1"
    else
        say "$speedup_source cannot be written to, so this builds in $cache/speedup/$1"
    fi
    printf '%s\n' "$cache/speedup/$1"
}

# setup_quietly LOG COMMAND... : its output goes to the log, and its end on stderr where it fails.
setup_quietly() {
    local log=$1 status=0
    shift
    "$@" >"$log" 2>&1 </dev/null || status=$?
    [ "$status" -eq 0 ] && return 0
    tail -n 30 "$log" >&2
    say "This failed with status $status: $*"
    say "Its whole output is in $log"
    return "$status"
}

# A build folder that was copied or moved, with its tree or alone, cannot be gone on with.
setup_forget_moved() {
    local cache=$1/CMakeCache.txt known
    [ -e "$cache" ] || return 0
    known=$(sed -n 's/^CMAKE_HOME_DIRECTORY:INTERNAL=//p;s/^CMAKE_CACHEFILE_DIR:INTERNAL=//p' "$cache" | sort -u)
    [ "$known" = "$(printf '%s\n' "$1" "$speedup_source" | sort -u)" ] || rm -rf "$cache" "$1/CMakeFiles"
}

# setup_build FOLDER CMAKE_ARGUMENT... : configures and builds.
setup_build() {
    local folder=$1
    shift
    mkdir -p "$folder" && setup_forget_moved "$folder" &&
        setup_quietly "$folder/configure.log" cmake -S "$speedup_source" -B "$folder" "$@" &&
        setup_quietly "$folder/build.log" cmake --build "$folder" --parallel "$(nproc)"
}
