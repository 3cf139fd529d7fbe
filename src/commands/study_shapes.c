/* The options of `speedup study` about nodes: how many, how ranks and threads share them, and what starts the ranks
 * there. Held against what the batch system gave.
 */
#include "study_options.h"

#include "../place/allocation.h"
#include "../place/host.h"
#include "../plan/command.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

extern char **environ;

static const char *const map_choices[] = {"cores-first", "nodes-first", NULL};
static const char *const hybrid_choices[] = {"all", NULL};

void study_shapes_table(struct study_shape_arguments *arguments, struct study_options *options,
                        struct option table_p[STUDY_SHAPE_OPTIONS])
{
    const struct option table[STUDY_SHAPE_OPTIONS] = {
        {'N', "nodes", OPT_TEXT, &arguments->nodes, 0, 0, NULL, "LIST",
         "Numbers of nodes, as 1,2,4: inside a job of a batch system, or with --hosts. Without --workers each node is "
         "filled. Default: this one alone."},
        {0, "ranks-per-node", OPT_COUNT, &options->request.ranks_per_node, 1, 10000, NULL, "R",
         "Ranks on each of the --nodes. Default: as many as its cores over the threads of a rank; of mode hybrid one."},
        {'T', "threads", OPT_TEXT, &arguments->threads, 0, 0, NULL, "LIST",
         "Threads of each rank, of mode hybrid; each number is a curve of its own. Default: the cores of a node over "
         "its ranks."},
        {0, "hybrid", OPT_CHOICE, &arguments->hybrid, 0, 0, hybrid_choices, "WHICH",
         "All ways to share the cores of a node among ranks and threads, on each of the --nodes."},
        {0, "map", OPT_CHOICE, &arguments->map, 0, 0, map_choices, "ORDER",
         "How ranks go to the nodes: each node is filled before the next, or they are dealt out. Default: "
         "cores-first."},
        {0, "hosts", OPT_TEXT, &arguments->hosts, 0, 0, NULL, "LIST",
         "Names of the nodes, as node1,node2, this one first, where no batch system tells."}};
    arguments->map = arguments->hybrid = -1;
    memcpy(table_p, table, sizeof table);
}

static int parse_numbers(const char *option, const char *text, int *count_p, int numbers_p[STUDY_NODES_MAX],
                         struct error *error)
{
    int status = study_parse_workers(text, STUDY_NODES_MAX, numbers_p, count_p);
    if (!status) return STATUS_OK;
    return error_set(error, STATUS_USAGE, "--%s %.100s is %s; allowed: up to %d numbers from 1 on, as 1,2,4 or 1..64*2",
                     option, text, status == -ERANGE ? "out of range" : "no list of numbers", (int)STUDY_NODES_MAX);
}

static int parse_hosts(const char *text, struct study_options *options, struct error *error)
{
    size_t allowed = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,-_");
    if (*text && *text != ',' && *text != '-' && !text[allowed] && !strstr(text, ",,") && !strstr(text, ",-") &&
        text[strlen(text) - 1] != ',') {
        options->hosts = text;
        return STATUS_OK;
    }
    return error_set(error, STATUS_USAGE,
                     "--hosts %.100s is not allowed; allowed: names, separated by commas, as "
                     "node1,node2",
                     text);
}

static int count_hosts(const char *hosts)
{
    int count = hosts && *hosts ? 1 : 0;
    for (; hosts && *hosts; hosts++) count += *hosts == ',';
    return count;
}

/* Each name stands in one argument of mpirun's, with ":" and a number of slots behind. */
static int check_length(const char *hosts, int nodes, struct error *error)
{
    enum { ARGUMENT_MAX = 131072, SLOTS_LENGTH = 8 }; /* Linux: MAX_ARG_STRLEN */
    size_t length = 0;
    for (int n = 0; hosts && *hosts && n < nodes; n++) {
        size_t name = strcspn(hosts, ",");
        length += name + SLOTS_LENGTH;
        hosts += name + (hosts[name] == ',');
    }
    if (length < ARGUMENT_MAX) return STATUS_OK;
    return error_set(error, STATUS_USAGE,
                     "the names of %d nodes are too long for the system: %zu characters with their slots, and an "
                     "argument of mpirun's may have %d; take fewer nodes, or let mpirun's default hostfile name them",
                     nodes, length, (int)ARGUMENT_MAX);
}

int study_shapes_choose(const struct study_shape_arguments *arguments, struct study_options *options,
                        struct error *error)
{
    struct study_request *request = &options->request;
    int status = STATUS_OK;
    if (arguments->nodes)
        status = parse_numbers("nodes", arguments->nodes, &request->node_count, request->nodes, error);
    if (!status && arguments->threads)
        status = parse_numbers("threads", arguments->threads, &request->thread_count, request->threads, error);
    if (!status && arguments->hosts) status = parse_hosts(arguments->hosts, options, error);
    if (status) return status;
    options->hybrid_all = arguments->hybrid == 0;
    options->nodes_given = arguments->nodes != NULL;
    if (options->hosts && !options->nodes_given)
        return error_set(error, STATUS_USAGE,
                         "--hosts names nodes, but not how many of them are to be used; give --nodes too, such as "
                         "--nodes 1,%d",
                         count_hosts(options->hosts));
    if (arguments->map >= 0) request->placement.map = map_choices[arguments->map];
    bool shaped = request->ranks_per_node > 0 || arguments->threads || options->hybrid_all;
    if (request->per_node && (shaped || arguments->map >= 0))
        return error_set(error, STATUS_USAGE,
                         "--%s does not go with --per-node, which has one rank on every core of every node; leave one "
                         "of them out",
                         request->ranks_per_node > 0 ? "ranks-per-node"
                         : arguments->threads        ? "threads"
                         : options->hybrid_all       ? "hybrid"
                                                     : "map");
    if (request->per_node && request->node_count > 1)
        return error_set(error, STATUS_USAGE,
                         "--per-node compares the nodes of one launch: give one number of --nodes");
    if (options->hybrid_all && (arguments->threads || request->ranks_per_node > 0))
        return error_set(error, STATUS_USAGE, "--hybrid all tries all numbers of threads and ranks; leave --%s out",
                         arguments->threads ? "threads" : "ranks-per-node");
    if (options->workers && request->ranks_per_node > 0)
        return error_set(error, STATUS_USAGE,
                         "--workers and --ranks-per-node both tell how many ranks there are; give one of them");
    if (shaped && request->node_count == 0) request->nodes[request->node_count++] = 1;
    return STATUS_OK;
}

/* Something of Open MPI's own tells mpirun where to start ranks. */
static bool has_hostfile(void)
{
    static const char *const names[] = {"OMPI_MCA_orte_default_hostfile", "PRTE_MCA_prte_default_hostfile",
                                        "PRTE_MCA_default_hostfile", "OMPI_MCA_rmaps_base_hostfile", NULL};
    for (int i = 0; names[i]; i++)
        if (getenv(names[i])) return true;
    return false;
}

static int most_nodes(const struct study_request *request)
{
    return request->node_count > 0 ? request->nodes[request->node_count - 1] : 1;
}

static int check_nodes(const struct study_options *options, const struct allocation *allocation, struct error *error)
{
    const struct study_request *request = &options->request;
    int most = most_nodes(request), hosts = count_hosts(options->hosts);
    if (most > 1 && allocation->elsewhere)
        return error_set(error, STATUS_USAGE,
                         "--nodes %d: this shell is on none of the nodes of %s job %s, whose cores are to be counted; "
                         "submit a script ('speedup job'), or open a shell there",
                         most, scheduler_name(allocation->scheduler), allocation->job_id);
    if (most > 1 && hosts > 0 && most > hosts)
        return error_set(error, STATUS_USAGE, "--nodes %d, but --hosts names %d; name more, or take fewer nodes", most,
                         hosts);
    if (most > 1 && hosts == 0 && allocation->nodes > 0 && most > allocation->nodes)
        return error_set(error, STATUS_USAGE, "--nodes %d, but %s job%s%s has %d; take fewer, or ask for more", most,
                         scheduler_name(allocation->scheduler), *allocation->job_id ? " " : "", allocation->job_id,
                         allocation->nodes);
    if (most > 1 && hosts == 0 && allocation->scheduler == SCHEDULER_NONE && !has_hostfile())
        return error_set(error, STATUS_USAGE,
                         "--nodes %d, but this is in no job of a batch system, and nothing names the nodes; submit a "
                         "script ('speedup job'), or give --hosts node1,node2,...",
                         most);
    return STATUS_OK;
}

/* All numbers of threads that divide the cores of a node. */
static void list_divisors(int cores, struct study_request *request)
{
    request->thread_count = 0;
    for (int t = 1; t <= cores && request->thread_count < STUDY_NODES_MAX; t++)
        if (cores % t == 0) request->threads[request->thread_count++] = t;
}

static int check_launcher(const char *launcher, struct error *error)
{
    if (!launcher || strcmp(launcher, "mpirun") == 0 || strcmp(launcher, "srun") == 0) return STATUS_OK;
    return error_set(error, STATUS_USAGE, "--launcher %.100s is not allowed for a kernel; allowed: mpirun, srun",
                     launcher);
}

static int choose_launcher(const struct study_options *options, struct session *session,
                           const struct allocation *allocation, struct error *error)
{
    struct launch_site *site = &session->site;
    const char *launcher = options->launcher;
    if (!launcher) return STATUS_OK;
    if (strcmp(launcher, "mpirun") == 0) {
        site->by_srun = false;
        if (site->mpirun[0]) return STATUS_OK;
        return error_set(error, STATUS_FAILED, "--launcher mpirun, but there is none: load the module of your MPI");
    }
    if (!site->srun[0] || allocation->scheduler != SCHEDULER_SLURM)
        return error_set(error, STATUS_FAILED, "--launcher srun works inside a Slurm job, and %s; see 'speedup job'",
                         site->srun[0] ? "this is in none" : "there is no srun here");
    site->by_srun = true;
    site->mpi_reason[0] = '\0';
    return STATUS_OK;
}

/* Of what starts its ranks itself, or by a line of its own, nothing but {nodes} tells how many nodes it uses. */
static int check_command(const struct command_target *target, int nodes, struct error *error)
{
    bool mpirun = strcmp(target->launcher, "mpirun") == 0 || strcmp(target->launcher, "mpiexec") == 0;
    bool ours = mpirun || strcmp(target->launcher, "srun") == 0;
    if (*target->launcher == '\0') mpirun = ours = !command_uses(target, "ranks");
    if (nodes <= 1) return STATUS_OK;
    if (mpirun && !target->bind)
        return error_set(
            error, STATUS_USAGE,
            "--nodes %d does not go with --no-bind, which leaves to mpirun on which nodes ranks are; leave "
            "one of them out, or give a --launcher line with {nodes}",
            nodes);
    if (ours || command_uses(target, "nodes")) return STATUS_OK;
    return error_set(error, STATUS_USAGE,
                     "--nodes %d, but what starts the command's ranks is not told of it; let {nodes} stand in the "
                     "command or the --launcher line, such as 'srun -N {nodes} -n {ranks}'",
                     nodes);
}

int study_shapes_check_modes(const struct study_options *options, int nodes, struct error *error)
{
    const struct study_request *request = &options->request;
    bool ranks = false, hybrid = false;
    for (int m = 0; m < request->mode_count; m++) {
        ranks = ranks || request->modes[m] == MODE_MPI || request->modes[m] == MODE_HYBRID;
        hybrid = hybrid || request->modes[m] == MODE_HYBRID;
    }
    if (options->modes && nodes > 1 && !ranks)
        return error_set(error, STATUS_USAGE,
                         "--nodes %d, but all --modes %.100s are of one node; add mpi or hybrid, or take one node",
                         nodes, options->modes);
    if (options->modes && request->thread_count > 0 && !hybrid)
        return error_set(error, STATUS_USAGE, "--%s is of mode hybrid, which --modes %.100s does not name; add it",
                         options->hybrid_all ? "hybrid all" : "threads", options->modes);
    if (options->has_command) return check_command(&options->command.target, nodes, error);
    return STATUS_OK;
}

static const char *first_of(const char *hosts, size_t length, char *first)
{
    snprintf(first, length, "%.*s", (int)strcspn(hosts, ","), hosts);
    return first;
}

/* What runs on one node runs here: were this not the first of the hosts, another machine would be compared. */
int study_shapes_check_first(const struct study_options *options, struct error *error)
{
    char first[256];
    if (!options->hosts || options->elsewhere || options->dry_run) return STATUS_OK;
    if (host_is_this(first_of(options->hosts, sizeof first, first))) return STATUS_OK;
    struct utsname system;
    return error_set(error, STATUS_USAGE,
                     "--hosts begins with %s, but this machine is %s; name it first, as what takes one node runs here",
                     first, uname(&system) == 0 ? system.nodename : "another");
}

/* An Open MPI that was built without support for PBS or LSF does not see their jobs, and none sees those of Flux: there
 * mpirun is told the job's nodes, which does no harm where it knows them. Slurm's it finds in the environment. What
 * cannot be found out is left to mpirun. */
static void find_job_hosts(struct study_options *options, const struct allocation *allocation)
{
    const char *launcher = options->has_command ? options->command.target.launcher : options->launcher;
    struct utsname system;
    char first[256];
    bool told = options->hosts || has_hostfile() || (launcher && strcmp(launcher, "srun") == 0);
    bool asked = allocation->scheduler == SCHEDULER_PBS || allocation->scheduler == SCHEDULER_LSF ||
                 allocation->scheduler == SCHEDULER_FLUX;
    if (told || !asked || allocation->step || most_nodes(&options->request) <= 1) return;
    if (uname(&system) < 0) system.nodename[0] = '\0';
    if (allocation_find_hosts(allocation, system.nodename, &options->job_hosts) < 0) {
        fprintf(stderr,
                "speedup study: nothing names the nodes of this %s job: unless mpirun knows them, give --hosts "
                "node1,node2,...\n",
                scheduler_name(allocation->scheduler));
        return;
    }
    first_of(options->job_hosts, sizeof first, first);
    if (!options->dry_run && !host_same_name(first, system.nodename) && !host_is_this(first))
        fprintf(stderr,
                "speedup study: this machine, %s, is not found among the nodes of this %s job, which begin with %s: "
                "what takes one node runs here all the same\n",
                system.nodename, scheduler_name(allocation->scheduler), first);
}

int study_shapes_complete(struct session *session, struct study_options *options, struct error *error)
{
    struct study_request *request = &options->request;
    struct allocation allocation;
    allocation_find(environ, &allocation);
    if (allocation.hosts_file) allocation_read_hosts(&allocation);
    if (options->hybrid_all) list_divisors(plan_cores(&session->machine, &request->placement), request);
    int status = options->has_command ? STATUS_OK : check_launcher(options->launcher, error);
    if (status || options->elsewhere) return status;
    find_job_hosts(options, &allocation);
    session->site.hosts = options->hosts ? options->hosts : options->job_hosts;
    if (!allocation.nodes) allocation.nodes = count_hosts(options->job_hosts);
    status = check_nodes(options, &allocation, error);
    if (!status) status = check_length(session->site.hosts, most_nodes(request), error);
    return status || options->has_command ? status : choose_launcher(options, session, &allocation, error);
}
