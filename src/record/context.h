/* The context line: what machine, which program, how it was started. The first line of a record. */
#ifndef SPEEDUP_RECORD_CONTEXT_H
#define SPEEDUP_RECORD_CONTEXT_H

#include "../observe/provenance.h"
#include "record.h"

/* What the caller knows. Texts may be NULL or "": not known. */
struct context_source {
    const char *study;
    const char *mpi_version; /* "Open MPI 4.1.4" */
    const char *mpirun;      /* its path */
    const char *mpi_reason;  /* why the MPI modes are unavailable; "" where they are available */
    const json_t *launches;  /* array of launch lines; NULL: none. Borrowed */
    char *const *variables;  /* of the environment, in the manner of environ; NULL: environ itself */
    double start_s;          /* CLOCK_REALTIME; 0: now */
};

/* New references, the caller's; NULL: no memory. */
json_t *record_encode_context(const struct machine *, const struct provenance *, const struct context_source *);
/* Parts of it: "machine", "system", "mpi". */
json_t *record_encode_machine(const struct machine *);
json_t *record_encode_system(const struct provenance *);
json_t *record_encode_mpi(const struct context_source *);
/* The batch job that this runs in; null outside of one. What it does not say is null. */
json_t *record_encode_allocation(const struct allocation *);

#endif
