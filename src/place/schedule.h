/* How the calling thread is scheduled: policy, nice, time slice. Linux gives them to each thread by itself. */
#ifndef SPEEDUP_PLACE_SCHEDULE_H
#define SPEEDUP_PLACE_SCHEDULE_H

#include "machine.h"

/* Sets the calling thread's scheduling. *got_p is what it has afterwards, also in failure (slice_ns 0: the kernel does
 * not tell). 0; -errno where the kernel refuses; -ENOTSUP where it agreed and did something else. Safe between fork and
 * exec. What a real-time thread starts is an ordinary task. */
int schedule_thread(const struct scheduling *asked, struct scheduling *got_p);

/* Whether the kernel should allow this process real-time priorities: CAP_SYS_NICE, or RLIMIT_RTPRIO. */
bool schedule_may_realtime(void);

/* Why schedule_thread failed with that status, and what helps; one line without a stop at its end. Pure. Returns text.
 */
const char *schedule_explain(const struct scheduling *asked, const struct scheduling *got, int status,
                             bool may_realtime, size_t length, char *text);

/* Real-time workers must not lock out the ones that started them. Three nets, each of which suffices:
 *
 * - The kernel leaves ordinary tasks a share of each CPU (5 %), in which the harness ends a launch that takes longer
 *   than its time limit. Where that was switched off (kernel.sched_rt_runtime_us = -1), real-time workers are refused
 *   unless a CPU is left on which none of them runs: schedule_check_room.
 * - Whatever the harness does, the kernel ends a worker with a thread that has computed for longer than the time limit
 *   without sleeping (RLIMIT_RTTIME: SIGXCPU, and SIGKILL a second later): schedule_limit_realtime.
 * - The workers leave real-time for what is not timed at their end (schedule_leave_realtime), where MPI's helper
 *   threads, which are ordinary tasks, are waited for. */
void schedule_limit_realtime(double limit_s);
/* What the kernel leaves to ordinary tasks it takes from the real-time ones that ran too long within a period (950 ms
 * of each second): sleeps for a period, so that what comes next can run through for as long. */
void schedule_rest_realtime(void);
void schedule_leave_realtime(void);
/* runtime_us: what schedule_realtime_runtime_us reads; NAN: not readable. STATUS_FAILED with the fix. Pure. */
int schedule_check_room(const struct machine *, const struct mode *, double runtime_us, struct error *);
double schedule_realtime_runtime_us(void);

/* From one tick of the kernel's timer to the next, at which turns of tasks that compute end; NAN. */
double schedule_tick_s(void);

#endif
