#include "surroundings.h"

#include <sys/prctl.h>
#include <sys/signalfd.h>

static void choose_signals(bool quit, sigset_t *watched_p)
{
    const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    sigemptyset(watched_p);
    sigaddset(watched_p, SIGCHLD);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        /* nohup and background jobs ignore some of them: so do we. */
        struct sigaction action;
        sigaction(ends[i], NULL, &action);
        if (action.sa_handler != SIG_IGN && (quit || ends[i] != SIGQUIT)) sigaddset(watched_p, ends[i]);
    }
}

int surroundings_prepare(bool quit, struct surroundings *surroundings_p, int *signals_p)
{
    struct surroundings surroundings = {.subreaper = 0};
    sigset_t watched;
    if (bystanders_find(&surroundings.bystanders) < 0) return -1;
    choose_signals(quit, &watched);
    if (prctl(PR_GET_CHILD_SUBREAPER, &surroundings.subreaper) < 0 ||
        (*signals_p = signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK)) < 0) {
        bystanders_release(&surroundings.bystanders);
        return -1;
    }
    /* Ignored children leave no status. */
    struct sigaction by_default = {.sa_handler = SIG_DFL};
    sigaction(SIGCHLD, &by_default, &surroundings.on_child);
    sigprocmask(SIG_BLOCK, &watched, &surroundings.mask);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    *surroundings_p = surroundings;
    return 0;
}

void surroundings_restore(struct surroundings *surroundings)
{
    prctl(PR_SET_CHILD_SUBREAPER, surroundings->subreaper);
    sigaction(SIGCHLD, &surroundings->on_child, NULL);
    sigprocmask(SIG_SETMASK, &surroundings->mask, NULL);
    bystanders_release(&surroundings->bystanders);
}
