/* A team of one rank, without MPI: team.c does all that is to do. */
#include "team.h"

#include <errno.h>
#include <stdlib.h>

int team_new_solo(struct team **team_p)
{
    struct team *team = calloc(1, sizeof *team);
    if (!team) return -ENOMEM;
    team->size = 1;
    int status = team_set_threads(team, 1);
    if (status < 0) {
        team_free(team);
        return status;
    }
    *team_p = team;
    return 0;
}
