/* By the beginning of a file's name. Wheels of Python put their own mark behind it (libgomp-a34b3233.so.1.0.0), Debian
 * has OpenBLAS and BLIS also under the name of the standard (openblas-pthread/libblas.so.3), and those who share
 * MPICH's binary interface call it libmpi.so.12.
 */
#include "tree.h"

#include <ctype.h>
#include <string.h>

const char *library_name(enum library library)
{
    static const char *const names[] = {
        [LIBRARY_GOMP] = "OpenMP (libgomp)",
        [LIBRARY_LLVM_OPENMP] = "OpenMP (LLVM, Intel)",
        [LIBRARY_OPENMPI] = "Open MPI",
        [LIBRARY_MPICH] = "MPICH",
        [LIBRARY_OPENBLAS] = "OpenBLAS",
        [LIBRARY_BLIS] = "BLIS",
        [LIBRARY_MKL] = "MKL",
        [LIBRARY_PYTHON] = "Python",
    };
    return (unsigned)library < LIBRARY_COUNT ? names[library] : "";
}

static bool begins(const char *text, const char *beginning)
{
    return strncmp(text, beginning, strlen(beginning)) == 0;
}

/* The name is this word, or goes on with a version or a mark. */
static bool is_word(const char *name, const char *word)
{
    if (!begins(name, word)) return false;
    char next = name[strlen(word)];
    return next == '\0' || next == '.' || next == '-' || isdigit((unsigned char)next);
}

static bool is_mpich(const char *name)
{
    return begins(name, "libmpich") || begins(name, "libmpi.so.12") || begins(name, "libpmpi.so.12") ||
           begins(name, "libmpifort") || begins(name, "libmpicxx") || begins(name, "libmpi_cray") ||
           begins(name, "libmpi_gnu") || begins(name, "libmpi_intel");
}

static bool is_openmpi(const char *name)
{
    static const char *const beginnings[] = {"libmpi.", "libmpi_", "libopen-pal", "libopen-rte", "libpmix", "libprrte",
                                             "mca_",    "libmca_", "liboshmem",   "libompi",     "libucp.", "libuct.",
                                             "libucs.", "libucm.", "libuct_",     "libucs_"};
    for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++)
        if (begins(name, beginnings[i])) return true;
    return false;
}

/* Whether the last folder's name begins so. */
static bool is_in(const char *path, const char *name, const char *folder)
{
    const char *begin = name;
    if (begin == path) return false;
    for (begin--; begin > path && begin[-1] != '/';) begin--;
    return begins(begin, folder);
}

int library_of_path(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    bool standard = begins(name, "libblas.") || begins(name, "liblapack.");
    if (is_word(name, "libgomp")) return LIBRARY_GOMP;
    if (is_word(name, "libomp") || is_word(name, "libiomp")) return LIBRARY_LLVM_OPENMP;
    if (is_mpich(name)) return LIBRARY_MPICH;
    if (is_openmpi(name)) return LIBRARY_OPENMPI;
    if (strstr(name, "openblas") || (standard && is_in(path, name, "openblas"))) return LIBRARY_OPENBLAS;
    if (begins(name, "libblis") || (standard && is_in(path, name, "blis"))) return LIBRARY_BLIS;
    if (begins(name, "libmkl_")) return LIBRARY_MKL;
    if (begins(name, "libpython") || is_word(name, "python")) return LIBRARY_PYTHON;
    return -1;
}
