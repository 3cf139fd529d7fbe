/* Work for the tests of diagnose: arithmetic for so much CPU time of the calling thread, however long it takes to get
 * it. */
#ifndef SPEEDUP_TESTS_WORK_H
#define SPEEDUP_TESTS_WORK_H

#include <time.h>

static inline double work_cpu_s(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static inline void work(double cpu_s)
{
    volatile double x = 1;
    for (double end_s = work_cpu_s() + cpu_s; work_cpu_s() < end_s;)
        for (int i = 0; i < 10000; i++) x = 0.999 * x + 0.001;
}

#endif
