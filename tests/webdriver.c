#include "webdriver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct browser {
    pid_t driver;
    int port;
    FILE *words; /* what chromedriver prints */
    char session[128], profile[32];
};

/* --- HTTP, as much as chromedriver needs. ------------------------------------------------------------------------ */

static int dial(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int peer = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(peer >= 0);
    assert_int_equal(connect(peer, (struct sockaddr *)&address, sizeof address), 0);
    return peer;
}

static void send_all(int peer, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t sent = send(peer, text, length, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        assert_true(sent > 0);
        text += sent;
        length -= (size_t)sent;
    }
}

/* The body of the answer. */
static char *receive(int peer)
{
    size_t used = 0, room = 1 << 16, whole = SIZE_MAX, head = 0;
    char *text = malloc(room);
    assert_non_null(text);
    while (used < whole) {
        if (room - used < 2) assert_non_null(text = realloc(text, room *= 2));
        ssize_t got = recv(peer, text + used, room - used - 1, 0);
        if (got < 0 && errno == EINTR) continue;
        assert_true(got >= 0);
        if (got == 0) break;
        used += (size_t)got;
        text[used] = '\0';
        const char *end = head ? NULL : strstr(text, "\r\n\r\n"), *length = strcasestr(text, "\r\nContent-Length:");
        if (!end) continue;
        head = (size_t)(end - text) + 4;
        assert_non_null(length);
        whole = head + strtoul(length + 17, NULL, 10);
    }
    memmove(text, text + head, used - head + 1);
    return text;
}

/* The "value" of the answer: a new reference. An answer that is an error fails the test. */
static json_t *call(const struct browser *browser, const char *method, const char *path, json_t *parameters)
{
    char head[512], *body = json_dumps(parameters, JSON_COMPACT);
    assert_non_null(body);
    bool get = strcmp(method, "GET") == 0;
    snprintf(head, sizeof head,
             "%s %s%s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
             method, browser->session, path, get ? 0 : strlen(body));
    int peer = dial(browser->port);
    send_all(peer, head, strlen(head));
    if (!get) send_all(peer, body, strlen(body));
    char *answer = receive(peer);
    close(peer);
    json_t *object = json_loads(answer, 0, NULL), *value = json_incref(json_object_get(object, "value"));
    const char *failure = json_string_value(json_object_get(value, "error"));
    if (!value || failure) fail_msg("%s %s: %.2000s", method, path, answer);
    json_decref(object);
    json_decref(parameters);
    free(answer);
    free(body);
    return value;
}

/* --- The browser. ------------------------------------------------------------------------------------------------ */

static void start_driver(struct browser *browser, const char *program)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    browser->driver = fork();
    assert_true(browser->driver >= 0);
    if (browser->driver == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        setpgid(0, 0);
        dup2(ends[1], STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        execlp(program, program, "--port=0", (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    browser->words = fdopen(ends[0], "r");
    char line[512];
    while (!browser->port && fgets(line, sizeof line, browser->words)) {
        const char *port = strstr(line, "successfully on port ");
        if (port) browser->port = atoi(port + 21);
    }
}

static json_t *capabilities(const struct browser *browser)
{
    char profile[64];
    snprintf(profile, sizeof profile, "--user-data-dir=%s", browser->profile);
    json_t *arguments = json_pack("[s,s,s,s,s,s,s,s,s]", "--headless=new", "--no-sandbox", "--disable-gpu",
                                  "--disable-quic", "--no-first-run", "--disable-background-networking",
                                  "--disable-component-update", "--disable-sync", profile);
    return json_pack("{s:{s:{s:{s:o}, s:{s:s, s:s}}}}", "capabilities", "alwaysMatch", "goog:chromeOptions", "args",
                     arguments, "goog:loggingPrefs", "browser", "ALL", "performance", "ALL");
}

struct browser *browser_open(void)
{
    struct browser *browser = calloc(1, sizeof *browser);
    assert_non_null(browser);
    start_driver(browser, "chromedriver");
    if (!browser->port) {
        printf("chromedriver is not installed, or does not start\n");
        browser_close(browser);
        return NULL;
    }
    strcpy(browser->profile, "/tmp/browser.XXXXXX");
    assert_non_null(mkdtemp(browser->profile));
    json_t *value = call(browser, "POST", "/session", capabilities(browser));
    snprintf(browser->session, sizeof browser->session, "/session/%s",
             json_string_value(json_object_get(value, "sessionId")));
    json_decref(value);
    return browser;
}

void browser_close(struct browser *browser)
{
    if (!browser) return;
    if (*browser->session) json_decref(call(browser, "DELETE", "", json_object()));
    kill(-browser->driver, SIGKILL);
    waitpid(browser->driver, NULL, 0);
    if (browser->words) fclose(browser->words);
    if (*browser->profile) {
        char command[64];
        snprintf(command, sizeof command, "rm -rf '%s'", browser->profile);
        assert_int_equal(system(command), 0);
    }
    free(browser);
}

void browser_visit(struct browser *browser, const char *url)
{
    json_decref(call(browser, "POST", "/url", json_pack("{s:s}", "url", url)));
}

static json_t *protocol(struct browser *browser, const char *command, json_t *parameters)
{
    return call(browser, "POST", "/goog/cdp/execute", json_pack("{s:s, s:o}", "cmd", command, "params", parameters));
}

void browser_set_screen(struct browser *browser, int width, int height, bool dark)
{
    json_decref(protocol(browser, "Emulation.setDeviceMetricsOverride",
                         json_pack("{s:i, s:i, s:i, s:b}", "width", width, "height", height, "deviceScaleFactor", 1,
                                   "mobile", width < 600)));
    json_decref(protocol(
        browser, "Emulation.setEmulatedMedia",
        json_pack("{s:[{s:s, s:s}]}", "features", "name", "prefers-color-scheme", "value", dark ? "dark" : "light")));
}

json_t *browser_run(struct browser *browser, const char *script)
{
    return call(browser, "POST", "/execute/sync", json_pack("{s:s, s:[]}", "script", script, "args"));
}

static json_t *read_log(struct browser *browser, const char *type)
{
    return call(browser, "POST", "/se/log", json_pack("{s:s}", "type", type));
}

void browser_take_logs(struct browser *browser, json_t **console_p, json_t **requests_p)
{
    size_t i;
    json_t *entry, *log = read_log(browser, "browser");
    *console_p = json_array();
    *requests_p = json_array();
    json_array_foreach(log, i, entry) json_array_append(*console_p, json_object_get(entry, "message"));
    json_decref(log);
    log = read_log(browser, "performance");
    json_array_foreach(log, i, entry)
    {
        json_t *event = json_loads(json_string_value(json_object_get(entry, "message")), 0, NULL);
        json_t *message = json_object_get(event, "message");
        const char *method = json_string_value(json_object_get(message, "method"));
        json_t *request = json_object_get(json_object_get(message, "params"), "request");
        if (method && strcmp(method, "Network.requestWillBeSent") == 0)
            json_array_append(*requests_p, json_object_get(request, "url"));
        json_decref(event);
    }
    json_decref(log);
}

static int digit_of(char letter)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = letter ? strchr(digits, letter) : NULL;
    return at ? (int)(at - digits) : -1;
}

void browser_screenshot(struct browser *browser, const char *path)
{
    json_t *value = protocol(browser, "Page.captureScreenshot", json_pack("{s:b}", "captureBeyondViewport", true));
    const char *text = json_string_value(json_object_get(value, "data"));
    FILE *file = fopen(path, "wb");
    assert_non_null(text);
    assert_non_null(file);
    unsigned bits = 0;
    int held = 0;
    for (int digit; (digit = digit_of(*text)) >= 0; text++) {
        bits = bits << 6 | (unsigned)digit;
        held += 6;
        if (held < 8) continue;
        held -= 8;
        fputc((int)(bits >> held & 255), file);
    }
    assert_int_equal(fclose(file), 0);
    json_decref(value);
}
