/* `speedup study -- COMMAND` end to end, with small scripts. Samples are so short that they are not judged: no load of
 * the machine makes them invalid. Nothing here asserts a time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ARGUMENTS_MAX = 64, TEXT_MAX = 65536, SAMPLES_MAX = 64 };

static void write_script(const char *name, const char *body)
{
    FILE *file = fopen(name, "w");
    assert_non_null(file);
    fprintf(file, "#!/bin/sh\n%s", body);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(name, 0755), 0);
}

/* Returns text: all of the file, or "" where there is none. */
static const char *read_text(const char *name, char text[TEXT_MAX])
{
    FILE *file = fopen(name, "r");
    size_t length = file ? fread(text, 1, TEXT_MAX - 1, file) : 0;
    text[length] = '\0';
    if (file) fclose(file);
    return text;
}

static pid_t start(const char *const arguments[])
{
    const char *argv[ARGUMENTS_MAX] = {getenv("SPEEDUP_PROGRAM"), "study"};
    int count = 2;
    for (; *arguments; arguments++) argv[count++] = *arguments;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid > 0) return pid;
    int out = open("out", O_WRONLY | O_CREAT | O_TRUNC, 0644), err = open("err", O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (dup2(out, STDOUT_FILENO) < 0 || dup2(err, STDERR_FILENO) < 0) _exit(99);
    execv(argv[0], (char *const *)argv);
    _exit(99);
}

static int wait_status(pid_t pid)
{
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

#define study(expected, ...) run_study(expected, (const char *const[]){__VA_ARGS__, NULL})

static void run_study(int expected, const char *const arguments[])
{
    char text[TEXT_MAX];
    int status = wait_status(start(arguments));
    if (status == 4 && expected == 0)
        return; /* others took the machine for so long that there was something to judge */
    if (status != expected) fail_msg("status %d, not %d: %s", status, expected, read_text("err", text));
}

static void assert_says(const char *what)
{
    char text[TEXT_MAX];
    if (!strstr(read_text("err", text), what)) fail_msg("'%s' is not in: %s", what, text);
}

static void assert_file(const char *name, const char *expected)
{
    char text[TEXT_MAX];
    assert_string_equal(read_text(name, text), expected);
}

/* The samples of a record, in their order; the caller's. */
static int read_samples(const char *name, json_t *samples_p[SAMPLES_MAX])
{
    FILE *file = fopen(name, "r");
    char *line = NULL;
    size_t room = 0;
    int count = 0;
    assert_non_null(file);
    while (getline(&line, &room, file) > 0) {
        json_t *object = json_loads(line, 0, NULL);
        const char *type = json_string_value(json_object_get(object, "type"));
        if (type && strcmp(type, "sample") == 0 && count < SAMPLES_MAX)
            samples_p[count++] = object;
        else
            json_decref(object);
    }
    free(line);
    fclose(file);
    return count;
}

static void release(int count, json_t *samples[])
{
    for (int i = 0; i < count; i++) json_decref(samples[i]);
}

static double number(const json_t *sample, const char *name)
{
    return json_number_value(json_object_get(sample, name));
}

static const char *config_text(const json_t *sample, const char *name)
{
    return json_string_value(json_object_get(json_object_get(sample, "config"), name));
}

static void test_words(void **state)
{
    (void)state;
    write_script("hex.sh",
                 "rm -f hex\nfor a; do printf %s \"$a\" | od -An -v -tx1 | tr -d ' \\n' >>hex; echo >>hex; done\n");
    study(0, "-r1", "-W1", "--modes", "threads", "--json", "-L", "v", "{x} y", "--", "./hex.sh", "a b", "'\"", "n\nl",
          "{", "\xff\xfe", "{v}", "$(touch injected)", "`touch injected`", "; touch injected", "", "{{v}}", "*",
          "{workers}{ranks}{threads}{nodes}");
    assert_file("hex", "612062\n2722\n6e0a6c\n7b\nfffe\n7b787d2079\n2428746f75636820696e6a656374656429\n"
                       "60746f75636820696e6a656374656460\n3b20746f75636820696e6a6563746564\n\n7b767d\n2a\n31313131\n");
    assert_int_not_equal(access("injected", F_OK), 0);
    json_t *samples[SAMPLES_MAX];
    int count = read_samples("out", samples);
    assert_int_equal(count, 2);
    const json_t *argv = json_object_get(json_object_get(json_object_get(samples[0], "config"), "target"), "argv");
    assert_string_equal(json_string_value(json_array_get(argv, 3)), "n\nl");
    assert_string_equal(json_string_value(json_object_get(json_array_get(argv, 5), "hex")), "fffe");
    assert_string_equal(json_string_value(json_array_get(argv, 13)), "{workers}{ranks}{threads}{nodes}");
    release(count, samples);
}

static void test_environment(void **state)
{
    (void)state;
    setenv("GOMP_CPU_AFFINITY", "7", 1);
    write_script("env.sh", "echo \"$MINE/$OMP_NUM_THREADS/$OPENBLAS_NUM_THREADS/$GOMP_CPU_AFFINITY\" >env\n");
    study(0, "-r1", "-W2", "--modes", "multitask", "--base", "2", "--json", "--env", "MINE=a {threads}", "--",
          "./env.sh");
    assert_file("env", "a 2/2/2/\n");
    study(0, "-r1", "-W2", "--modes", "multitask", "--base", "2", "--json", "--env", "OMP_NUM_THREADS=9", "--",
          "./env.sh");
    assert_file("env", "/9/2/\n");
    unsetenv("GOMP_CPU_AFFINITY");
    study(0, "-r1", "-W1", "--json", "--shell", "--", "echo shell $((1 + {threads})) >env");
    assert_file("env", "shell 2\n");
}

static void test_failures(void **state)
{
    (void)state;
    char text[TEXT_MAX];
    study(1, "-r1", "--", "./missing");
    assert_file("err", "speedup study: cannot start ./missing: No such file or directory\n");
    study(1, "-r1", "--json", "--launcher", "env RANKS={ranks}", "--", "./missing");
    assert_file("err", "speedup study: cannot start ./missing: No such file or directory\n");
    study(1, "-r1", "--json", "--", "/bin/sh", "-c", "echo first >&2; echo last >&2; exit 3");
    assert_says("ended with status 3; it says: last; -i goes on");
    study(0, "-r1", "-W1", "-i", "--json", "--", "/bin/sh", "-c", "exit 3");
    json_t *samples[SAMPLES_MAX];
    int count = read_samples("out", samples);
    assert_int_equal(count, 3);
    assert_int_equal((int)number(samples[0], "exit_status"), 3);
    release(count, samples);
    study(1, "-r1", "--json", "--", "/bin/sh", "-c", "kill -9 $$");
    assert_says("was ended by signal 9");
    study(1, "-r1", "--json", "--time-limit", "0.2", "--", "sleep", "100");
    assert_says("longer than the time limit of 0.2 s");
    study(1, "-r1", "--json", "--", "/bin/sh", "-c", "printf '\\033[31mred' >&2; exit 1");
    assert_null(strchr(read_text("err", text), '\033'));
}

static bool runs(const char *command)
{
    char line[256];
    snprintf(line, sizeof line, "pgrep -f '^%s$' >/dev/null", command);
    return system(line) == 0;
}

static void test_daemons(void **state)
{
    (void)state;
    char sleeper[64], script[256];
    snprintf(sleeper, sizeof sleeper, "sleep 9%d.5", (int)getpid());
    snprintf(script, sizeof script, "setsid %s >/dev/null 2>&1 &\n(setsid sh -c '%s & wait' &)\n", sleeper, sleeper);
    write_script("daemon.sh", script);
    study(0, "-r1", "-W1", "--modes", "threads", "--json", "--", "./daemon.sh");
    assert_false(runs(sleeper));
    assert_says("behind, which were ended");
}

/* What each of them did is so little that only records of every switch have all of them. */
static void test_short_lived(void **state)
{
    (void)state;
    json_t *samples[SAMPLES_MAX];
    unsetenv("SPEEDUP_TIMELINES");
    write_script("many.sh", "i=0\nwhile [ $i -lt 500 ]; do /bin/true; i=$((i + 1)); done\necho $i >many\n");
    study(0, "-r1", "-W1", "--modes", "serial", "--no-bind", "--json", "-o", "many.jsonl", "--dry-run", "--",
          "./many.sh");
    int status =
        wait_status(start((const char *const[]){"-r1", "-W1", "--modes", "serial", "--json", "--", "./many.sh", NULL}));
    setenv("SPEEDUP_TIMELINES", "sampled", 1);
    assert_true(status == 0 || status == 4); /* 4: another program disturbed all of it */
    assert_file("many", "500\n");
    int count = read_samples("out", samples);
    assert_true(count >= 1);
    for (int i = 0; i < count; i++) {
        const char *missing = json_string_value(json_object_get(samples[i], "unobserved"));
        if (json_is_null(json_object_get(samples[i], "processes")))
            print_message("not counted: %s\n", missing ? missing : "");
        else
            assert_int_equal((int)number(samples[i], "processes"), 501);
    }
    release(count, samples);
}

static double own_time(const char *option, const char *value, const char *unit, const char *printed)
{
    json_t *samples[SAMPLES_MAX];
    study(0, "-r1", "-W1", "--modes", "serial", "--json", option, value, "--time-unit", unit, "--", "printf", "%s",
          printed);
    int count = read_samples("out", samples);
    assert_int_equal(count, 1);
    double time_s = number(samples[0], "wall_s");
    assert_true(number(samples[0], "process_s") > 0);
    release(count, samples);
    return time_s;
}

static void test_time(void **state)
{
    (void)state;
    assert_float_equal(own_time("--time-regex", "^Time: ([0-9.]+)", "ms", "Time: 5\nTime: 250\nNo Time: 9\n"), 0.25,
                       1e-9);
    assert_float_equal(own_time("--time-json", "results.1.time", "s", "{{\"results\": [0, {{\"time\": 1.5}}]}}"), 1.5,
                       1e-9);
    assert_float_equal(own_time("--time-json", "t", "us", "{{\"t\": \"20\"}}"), 2e-5, 1e-12);
    study(1, "-r1", "--json", "--time-regex", "T=([0-9]+)", "--", "echo", "none");
    assert_says("--time-regex T=([0-9]+) finds no time");
    study(1, "-r1", "--json", "--time-json", "t", "--", "echo", "none");
    assert_says("--time-json t finds no time");
    study(0, "-r1", "-W1", "--modes", "serial", "--json", "--time-regex", "real ([0-9]+)", "--", "/bin/sh", "-c",
          "echo real 3 >&2");
}

static void test_answers(void **state)
{
    (void)state;
    json_t *samples[SAMPLES_MAX];
    study(0, "-r1", "-W1", "--json", "--check-regex", "^all (good|well)$", "--", "printf", "x\nall well\n");
    study(3, "-r1", "-W1", "--json", "--check-regex", "^all (good|well)$", "--", "echo", "not all well");
    assert_says("gave a wrong answer");
    int count = read_samples("out", samples);
    assert_int_equal(count, 1);
    assert_true(json_is_null(json_object_get(samples[0], "wall_s")));
    assert_true(json_is_false(json_object_get(samples[0], "valid")));
    release(count, samples);
    study(0, "-r1", "-W1,2", "--json", "--same-output", "-L", "v", "a,b", "--", "echo", "{v}");
    study(3, "-r1", "-W1,2", "--json", "--same-output", "--", "echo", "{threads}");
    assert_says("gave a wrong answer");
}

static void test_hooks(void **state)
{
    (void)state;
    char text[TEXT_MAX];
    write_script("log.sh", "echo \"$*\" >>log\n");
    remove("log");
    study(0, "-r1", "-W1", "-w1", "--modes", "serial", "--json", "-L", "v", "a b", "--setup", "./log.sh setup {v}",
          "--prepare", "./log.sh prepare", "--conclude", "./log.sh 'conclude  it'", "--cleanup", "./log.sh cleanup {v}",
          "--", "./log.sh", "run", "{v}");
    assert_file("log", "setup a b\nprepare\nrun a b\nconclude  it\nprepare\nrun a b\nconclude  it\ncleanup a b\n");
    remove("log");
    study(0, "-r2:2", "-W1", "--json", "-L", "v", "1,2", "--setup", "./log.sh setup {v}", "--cleanup",
          "./log.sh cleanup", "--", "true", "{v}");
    read_text("log", text);
    assert_int_equal(strlen(text), strlen("setup 1\nsetup 2\ncleanup\n"));
    assert_non_null(strstr(text, "setup 1\n"));
    assert_non_null(strstr(text, "setup 2\n"));
    remove("log");
    study(1, "-r1", "--json", "--prepare", "sh -c 'echo no disk >&2; exit 7'", "--cleanup", "./log.sh cleanup", "--",
          "true");
    assert_says("speedup study: --prepare 'sh -c 'echo no disk >&2; exit 7'' ended with status 7; it says: no disk");
    assert_file("log", "cleanup\n");
    study(1, "-r1", "--json", "--setup", "./nowhere", "--", "true");
    assert_says("--setup: cannot start ./nowhere");
    study(2, "-r1", "--json", "--setup", "it's", "--", "true");
    study(1, "-r1", "-W1", "--json", "--cleanup", "false", "--", "true");
    assert_says("--cleanup 'false' ended with status 1");
}

static void test_interrupt(void **state)
{
    (void)state;
    const struct timespec moment = {.tv_nsec = 20000000};
    write_script("log.sh", "echo \"$*\" >>log\n");
    write_script("wait.sh", "echo >waiting\nexec sleep 100\n");
    remove("log");
    pid_t pid = start((const char *const[]){"-r1", "--json", "--cleanup", "./log.sh cleanup", "--", "./wait.sh", NULL});
    for (int i = 0; i < 1000 && access("waiting", F_OK); i++) nanosleep(&moment, NULL);
    kill(pid, SIGINT);
    assert_int_equal(wait_status(pid), 130);
    assert_file("log", "cleanup\n");
}

/* Every configuration once in each block, whatever came between. */
static void assert_once_each(const char *name, int expected)
{
    json_t *samples[SAMPLES_MAX];
    int count = read_samples(name, samples);
    assert_int_equal(count, expected);
    for (int i = 0; i < count; i++)
        for (int j = 0; j < i; j++) {
            bool same_key = json_equal(json_object_get(samples[i], "key"), json_object_get(samples[j], "key"));
            bool same_block = json_equal(json_object_get(samples[i], "block"), json_object_get(samples[j], "block"));
            assert_false(same_key && same_block);
            assert_false(json_equal(json_object_get(samples[i], "launch"), json_object_get(samples[j], "launch")));
        }
    release(count, samples);
}

static void test_resume(void **state)
{
    (void)state;
    write_script("count.sh", "echo >>count\n[ \"$(wc -l <count)\" -ne 4 ]\n");
    remove("count");
    study(1, "-r2", "-W1", "-L", "v", "a,b", "-o", "r.jsonl", "--", "./count.sh", "{v}");
    assert_once_each("r.jsonl", 3);
    study(2, "-r2", "-W1", "-L", "v", "a,b", "-o", "r.jsonl", "--", "./count.sh", "{v}");
    assert_says("is there already");
    study(2, "-r2", "-W1", "-L", "v", "a,c", "-o", "r.jsonl", "--resume", "--", "./count.sh", "{v}");
    assert_says("parameters: {\"v\":[\"a\",\"b\"]} in the record, {\"v\":[\"a\",\"c\"]} now");
    study(2, "-r2", "-W1", "-L", "v", "a,b", "-o", "r.jsonl", "--resume", "--", "./count.sh", "{v}", "more");
    assert_says("target");
    study(2, "-r2", "-W1", "-L", "v", "a,b", "-o", "r.jsonl", "--resume", "--check-regex", "x", "--", "./count.sh",
          "{v}");
    assert_says("check_regex");
    study(2, "pi", "-o", "r.jsonl", "--resume");
    assert_says("holds a study of a command");
    study(0, "-r2", "-W1", "-L", "v", "a,b", "-o", "r.jsonl", "--resume", "--", "./count.sh", "{v}");
    assert_once_each("r.jsonl", 12);
}

static void test_weak(void **state)
{
    (void)state;
    json_t *samples[SAMPLES_MAX];
    study(0, "-r1", "-W1,2", "--modes", "multitask", "--json", "--weak", "size = 10*workers^2", "--", "true", "{size}");
    int count = read_samples("out", samples), two = 0;
    assert_int_equal(count, 3);
    for (int i = 0; i < count; i++) {
        bool one = json_integer_value(json_object_get(json_object_get(samples[i], "config"), "workers")) == 1;
        assert_string_equal(config_text(samples[i], "size"), one ? "10" : "40");
        assert_float_equal(number(samples[i], "work"), (one ? 1 : 2), 0);
        assert_string_equal(json_string_value(json_object_get(samples[i], "work_unit")), "share");
        two += !one;
    }
    assert_int_equal(two, 1);
    release(count, samples);
    study(0, "-r1", "-W1", "--modes", "serial", "--json", "--size", "s 1", "--", "true", "{size}");
    count = read_samples("out", samples);
    assert_string_equal(config_text(samples[0], "size"), "s 1");
    assert_string_equal(json_string_value(json_object_get(samples[0], "work_unit")), "run");
    release(count, samples);
}

static int enter_folder(void **state)
{
    char folder[] = "/tmp/speedup-study-XXXXXX";
    setenv("SPEEDUP_TIMELINES", "sampled", 1);
    if (!mkdtemp(folder) || chdir(folder)) return -1;
    *state = strdup(folder);
    return *state ? 0 : -1;
}

static int leave_folder(void **state)
{
    char line[128];
    snprintf(line, sizeof line, "rm -rf '%s'", (char *)*state);
    free(*state);
    return chdir("/") || system(line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),   cmocka_unit_test(test_environment), cmocka_unit_test(test_failures),
        cmocka_unit_test(test_daemons), cmocka_unit_test(test_short_lived), cmocka_unit_test(test_time),
        cmocka_unit_test(test_answers), cmocka_unit_test(test_hooks),       cmocka_unit_test(test_interrupt),
        cmocka_unit_test(test_resume),  cmocka_unit_test(test_weak)};
    return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
