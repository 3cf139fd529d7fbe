/* Directives as of sbatch(1) of Slurm 22.05, qsub(1B) of OpenPBS 20, bsub of LSF 10.1, and flux-batch(1).
 *
 * Slurm: with B: the signal goes to the shell alone, which hands it on. It is USR1, since TERM also comes with scancel,
 * after which no job should requeue itself. The others cannot send a signal to the shell alone (LSF and Flux signal all
 * that runs, PBS nothing), so that there the script measures the time.
 */
#include "job_forms.h"

const struct job_key_name job_key_names[JOB_KEY_COUNT] = {
    [JOB_NAME] = {"name", "name"},
    [JOB_NODES] = {"nodes", "nodes"},
    [JOB_RANKS] = {"ranks", "ranks-per-node"},
    [JOB_THREADS] = {"threads", NULL}, /* all have OMP_NUM_THREADS */
    [JOB_OMP] = {"omp", NULL},
    [JOB_CORES] = {"cores", "cores-per-node"},
    [JOB_SLOTS] = {"slots", NULL},
    [JOB_WALLTIME] = {"walltime", "walltime"},
    [JOB_WARNING] = {"warning", NULL},
    [JOB_ACCOUNT] = {"account", "account"},
    [JOB_PARTITION] = {"partition", "partition"},
    [JOB_QOS] = {"qos", "qos"},
    [JOB_CONSTRAINT] = {"constraint", "constraint"},
    [JOB_MEMORY] = {"memory", "memory"},
    [JOB_MAIL] = {"mail", "mail"},
};

#define PBS_CHUNK "ncpus=@cores@:mpiprocs=@ranks@:ompthreads=@omp@@[:mem=@memory@@]@[:@constraint@@]"

static const struct job_form forms[] = {
    [SCHEDULER_SLURM] =
        {.prefix = "#SBATCH ",
         .directives = {"--job-name=@name@", "--output=@name@-%j.out", "--open-mode=append", "--nodes=@nodes@",
                        "--ntasks-per-node=@ranks@", "--cpus-per-task=@threads@", "--exclusive", "--mem=@memory@",
                        "--hint=nomultithread", "--time=@walltime@", "--signal=B:USR1@@@warning@", "--requeue",
                        "--account=@account@", "--partition=@partition@", "--qos=@qos@", "--constraint=@constraint@",
                        "--mail-user=@mail@ --mail-type=END,FAIL,REQUEUE"},
         .about =
             "# Whole nodes that nobody shares, cores instead of hardware threads; --mem=0 is all memory of a node.\n"
             "# About @warning@ s before the end comes USR1: the study closes its file, and the job is requeued and "
             "goes on.\n",
         .submit = "sbatch",
         .submit_each = "sbatch --nodes=\"$nodes\" --job-name=@name@-\"$nodes\" \"$0\"",
         .outside = "[ -z \"${SLURM_JOB_ID:-}\" ]",
         .nodes = "$SLURM_JOB_NUM_NODES",
         .start =
             "export OMP_NUM_THREADS=\"${SLURM_CPUS_PER_TASK:-1}\"\n"
             "# srun does not take over the job's --cpus-per-task (since 22.05).\n"
             "if [ -n \"${SLURM_CPUS_PER_TASK:-}\" ]; then export SRUN_CPUS_PER_TASK=\"$SLURM_CPUS_PER_TASK\"; fi\n"
             "export SLURM_CPU_BIND=none # Speedup binds its workers itself\n",
         .where = "job $SLURM_JOB_ID, start $((${SLURM_RESTART_COUNT:-0} + 1)), "
                  "$SLURM_JOB_NUM_NODES node(s): $SLURM_JOB_NODELIST",
         .signals = true,
         .time_is_up = "    if [ \"${SLURM_RESTART_COUNT:-0}\" -ge 20 ]; then\n"
                       "        echo \"Time is up, and the job was requeued 20 times already: look into $file.\" >&2\n"
                       "        exit 1\n"
                       "    fi\n"
                       "    echo \"Time is up: the job is requeued, and goes on with $file.\"\n"
                       "    requeued=0\n"
                       "    scontrol requeue \"$SLURM_JOB_ID\" || requeued=$?\n"
                       "    # Above 128: the requeueing has ended scontrol, too.\n"
                       "    if [ \"$requeued\" -eq 0 ] || [ \"$requeued\" -gt 128 ]; then exit 0; fi\n"
                       "    echo \"It could not be requeued. Submit this script again, and it goes on.\" >&2\n",
         .clock = CLOCK_SECONDS,
         .memory_units = {"M", "G", "T"},
         .all_memory = "0"},
    [SCHEDULER_PBS] = {.prefix = "#PBS ",
                       .directives = {"-N @name@", "-j oe", "-l select=@nodes@:" PBS_CHUNK, "-l place=scatter:exclhost",
                                      "-l walltime=@walltime@", "-r y", "-A @account@", "-q @partition@",
                                      "-M @mail@ -m ae"},
                       .about = "# Whole nodes that nobody shares (exclhost), one chunk on each (scatter).\n",
                       .submit = "qsub",
                       .submit_each = "qsub -l select=\"$nodes:" PBS_CHUNK "\" -N @name@-\"$nodes\" \"$0\"",
                       .outside = "[ -z \"${PBS_JOBID:-}\" ]",
                       .nodes = "$(sort -u \"$PBS_NODEFILE\" | wc -l)",
                       .start = "cd \"$PBS_O_WORKDIR\" # PBS starts in the home directory\n"
                                "export OMP_NUM_THREADS=@omp@\n",
                       .where = "job $PBS_JOBID, nodes: $(sort -u \"$PBS_NODEFILE\" | tr '\\n' ' ')",
                       .time_is_up =
                           "    echo \"Time is up. Submit this script again, and it goes on with $file.\" >&2\n"
                           "    exit 75\n",
                       .clock = CLOCK_SECONDS,
                       .memory_units = {"mb", "gb", "tb"}},
    [SCHEDULER_LSF] = {.prefix = "#BSUB ",
                       .directives = {"-J @name@", "-o @name@-%J.out", "-n @slots@", "-R \"span[ptile=@ranks@]\"", "-x",
                                      "-M @memory@", "-W @walltime@", "-r", "-Q \"75\"", "-P @account@",
                                      "-q @partition@", "-R \"select[@constraint@]\"", "-N -u @mail@"},
                       .about = "# Whole hosts that nobody shares (-x), with so many ranks each (ptile). Exit status "
                                "75 says that the time was\n"
                                "# up: the job is requeued (-Q), and goes on, unless no sample was "
                                "added.\n",
                       .submit = "bsub <",
                       .submit_each = "bsub -n \"$((nodes * @ranks@))\" -J @name@-\"$nodes\" <\"$0\"",
                       .outside = "[ -z \"${LSB_JOBID:-}\" ]",
                       .nodes = "$(($(echo \"$LSB_MCPU_HOSTS\" | wc -w) / 2))",
                       .start = "export OMP_NUM_THREADS=@omp@\n",
                       .where = "job $LSB_JOBID, hosts and slots: $LSB_MCPU_HOSTS",
                       .time_is_up = "    echo \"Time is up: the job is requeued, and goes on with $file.\"\n"
                                     "    exit 75\n",
                       .clock = CLOCK_MINUTES,
                       .memory_units = {"MB", "GB", "TB"}},
    [SCHEDULER_FLUX] = {.prefix = "#flux: ",
                        .directives = {"--job-name=@name@", "--output=@name@-{{id}}.out", "--nodes=@nodes@",
                                       "--exclusive", "--time-limit=@walltime@", "--bank=@account@",
                                       "--queue=@partition@", "--requires=@constraint@"},
                        .about = "# Whole nodes that nobody shares.\n",
                        .submit = "flux batch",
                        .submit_each = "flux batch --nodes=\"$nodes\" --job-name=@name@-\"$nodes\" \"$0\"",
                        .outside = "! flux getattr jobid >/dev/null 2>&1",
                        .nodes = "$SPEEDUP_JOB_NODES",
                        .start = "export OMP_NUM_THREADS=@omp@\n"
                                 "# Flux sets no variables for a batch script: these tell Speedup of the job.\n"
                                 "SPEEDUP_JOB_ID=$(flux getattr jobid)\n"
                                 "SPEEDUP_JOB_HOSTS=$(flux getattr hostlist)\n"
                                 "SPEEDUP_JOB_NODES=$(flux resource list -s up -n -o '{nnodes}')\n"
                                 "SPEEDUP_JOB_CORES=$(flux resource list -s up -n -o '{ncores}')\n"
                                 "export SPEEDUP_JOB_ID SPEEDUP_JOB_HOSTS SPEEDUP_JOB_NODES SPEEDUP_JOB_CORES\n",
                        .where = "job $SPEEDUP_JOB_ID, $SPEEDUP_JOB_NODES node(s): $SPEEDUP_JOB_HOSTS",
                        .time_is_up =
                            "    echo \"Time is up. Submit this script again, and it goes on with $file.\" >&2\n"
                            "    exit 75\n",
                        .clock = CLOCK_UNIT},
};

const struct job_form *job_form(enum scheduler scheduler)
{
    return &forms[scheduler];
}
