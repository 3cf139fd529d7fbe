/* A directory of a test's own for a record and the torn end that is set aside beside it: set-up and tear-down. */
#ifndef TESTS_RECORD_DIRECTORY_H
#define TESTS_RECORD_DIRECTORY_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char directory[] = "/tmp/test_record.XXXXXX";
static char path[64], torn_path[80];

static inline int make_directory(void **state)
{
    (void)state;
    if (!mkdtemp(directory)) return -1;
    snprintf(path, sizeof path, "%s/record.jsonl", directory);
    snprintf(torn_path, sizeof torn_path, "%s.torn", path);
    return 0;
}

static inline int remove_directory(void **state)
{
    (void)state;
    unlink(path);
    unlink(torn_path);
    return rmdir(directory);
}

#endif
