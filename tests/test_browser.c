/* The reports in a real browser, on a wide screen and a telephone, light and dark: nothing sticks out or overlaps,
 * everything that can be clicked works, the console is silent, and nothing is asked for from anywhere.
 * SPEEDUP_SCREENSHOTS=FOLDER keeps pictures of all of it. */
#include "../src/present/present.h"
#include "webdriver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SKIPPED = 77, PATH_LENGTH = 4096 };

static struct browser *browser;
static char folder[] = "/tmp/test_browser.XXXXXX";

static const struct screen {
    const char *name;
    int width, height;
    bool dark;
} screens[] = {{"wide-light", 1280, 900, false},
               {"wide-dark", 1280, 900, true},
               {"phone-light", 390, 844, false},
               {"phone-dark", 390, 844, true}};

/* Texts that lie on each other in a figure; what sticks out of the page, but for what scrolls in a box of its own;
 * texts that cannot be told from what is behind them. */
static const char look_script[] =
    "const faults = [], wide = innerWidth;"
    "const hidden = e => !e.getClientRects().length;"
    "if (document.documentElement.scrollWidth > wide) faults.push('the page is wider than the screen');"
    "for (const e of document.querySelectorAll('body *')) {"
    "  if (hidden(e) || e.closest('.scroll, pre, svg, details:not([open])')) continue;"
    "  const r = e.getBoundingClientRect();"
    "  if (r.right > wide + 1 || r.left < -1) faults.push(e.tagName + ' sticks out: ' + e.textContent.slice(0, 60));"
    "}"
    "for (const svg of document.querySelectorAll('svg')) {"
    "  if (hidden(svg)) continue;"
    "  const box = svg.getBoundingClientRect();"
    "  const texts = [...svg.querySelectorAll('text')].filter(e => !hidden(e) && e.textContent.trim());"
    "  const boxes = texts.map(e => e.getBoundingClientRect());"
    "  for (let i = 0; i < texts.length; i++) {"
    "    const a = boxes[i];"
    "    if (a.right > Math.max(box.right, wide) + 1 || a.left < -1)"
    "      faults.push('text is cut: ' + texts[i].textContent.slice(0, 60));"
    "    for (let k = 0; k < i; k++) {"
    "      const b = boxes[k];"
    "      const w = Math.min(a.right, b.right) - Math.max(a.left, b.left);"
    "      const h = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);"
    "      if (w > 2 && h > 0.4 * Math.min(a.height, b.height))"
    "        faults.push('texts overlap: ' + texts[k].textContent.slice(0, 40) + ' | ' + "
    "texts[i].textContent.slice(0, 40));"
    "    }"
    "    if (parseFloat(getComputedStyle(texts[i]).fontSize) * (a.height ? 1 : 0) && a.height < 8)"
    "      faults.push('text is too small: ' + texts[i].textContent.slice(0, 40) + ' ' + a.height);"
    "  }"
    "}"
    "return faults;";

/* Opens all that opens, follows all links within the page, and tells links that lead nowhere or elsewhere. */
static const char click_script[] =
    "const faults = [];"
    "for (const e of document.querySelectorAll('summary')) e.click();"
    "for (const e of document.querySelectorAll('details')) if (!e.open) faults.push('does not open');"
    "for (const a of document.querySelectorAll('a[href]')) {"
    "  const href = a.getAttribute('href');"
    "  if (!href.startsWith('#')) faults.push('leads away: ' + href);"
    "  else if (!document.getElementById(href.slice(1))) faults.push('leads nowhere: ' + href);"
    "  else a.click();"
    "}"
    "const ids = [...document.querySelectorAll('[id]')].map(e => e.id);"
    "ids.forEach((id, i) => { if (ids.indexOf(id) !== i) faults.push('id twice: ' + id); });"
    "for (const e of document.querySelectorAll('svg')) {"
    "  const names = (e.getAttribute('aria-labelledby') || '').split(' ').filter(n => n);"
    "  if (e.getAttribute('aria-hidden') === 'true') continue;"
    "  if (!names.length || names.some(n => !document.getElementById(n))) faults.push('figure without a text');"
    "}"
    "if (document.querySelectorAll('h1').length !== 1) faults.push('not one h1');"
    "return faults;";

static void assert_empty(const char *page, const char *what, json_t *faults)
{
    char *text = json_dumps(faults, JSON_INDENT(1));
    if (json_array_size(faults) > 0) fail_msg("%s, %s: %.3000s", page, what, text);
    free(text);
    json_decref(faults);
}

static void keep_picture(const char *page, const struct screen *screen)
{
    const char *keep = getenv("SPEEDUP_SCREENSHOTS");
    char path[PATH_LENGTH];
    if (!keep) return;
    snprintf(path, sizeof path, "%s/%s-%s.png", keep, page, screen->name);
    browser_screenshot(browser, path);
}

static void read_record(const char *name, struct results *results_p)
{
    const char *source = getenv("SPEEDUP_SOURCE");
    char path[PATH_LENGTH];
    struct error error;
    assert_non_null(source);
    snprintf(path, sizeof path, "%s/tests/records/%s", source, name);
    if (results_read(path, results_p, &error)) fail_msg("%s", error.text);
}

static void look_at(const char *page)
{
    char url[PATH_LENGTH];
    json_t *console, *requests;
    for (size_t i = 0; i < sizeof screens / sizeof *screens; i++) {
        const struct screen *screen = &screens[i];
        browser_set_screen(browser, screen->width, screen->height, screen->dark);
        browser_take_logs(browser, &console, &requests);
        json_decref(console);
        json_decref(requests);
        snprintf(url, sizeof url, "file://%s/%s.html", folder, page);
        browser_visit(browser, url);
        keep_picture(page, screen);
        assert_empty(page, screen->name, browser_run(browser, look_script));
        assert_empty(page, "clicking", browser_run(browser, click_script));
        assert_empty(page, screen->name, browser_run(browser, look_script));
        browser_take_logs(browser, &console, &requests);
        assert_empty(page, "the console", console);
        for (size_t r = json_array_size(requests); r-- > 0;)
            if (strcmp(json_string_value(json_array_get(requests, r)), url) == 0) json_array_remove(requests, r);
        assert_empty(page, "requests", requests);
    }
}

static void test_lesson(void **state)
{
    (void)state;
    struct results results;
    struct error error;
    char path[PATH_LENGTH];
    struct lesson *lesson = malloc(sizeof *lesson);
    assert_non_null(lesson);
    read_record("lesson.jsonl", &results);
    lesson_build(&results, lesson);
    snprintf(path, sizeof path, "%s/lesson.html", folder);
    if (present_report(path, &results, lesson, &error)) fail_msg("%s", error.text);
    free(lesson);
    results_release(&results);
    look_at("lesson");
}

/* The study's page, and the proposal's, with figures by gnuplot or without them. */
static void look_at_study(const char *name)
{
    struct results results;
    struct curves curves;
    struct error error;
    char path[PATH_LENGTH], page[64];
    read_record("study.jsonl", &results);
    assert_int_equal(curves_build(&results, 0, &curves), 0);
    const struct study_part part = {&results, &curves};
    const struct proposal_request request = {.criterion = -1, .runs_planned = 10};
    snprintf(path, sizeof path, "%s/%s.html", folder, name);
    if (present_study_report(path, 1, &part, &error)) fail_msg("%s", error.text);
    look_at(name);
    snprintf(page, sizeof page, "%s-proposal", name);
    snprintf(path, sizeof path, "%s/%s.html", folder, page);
    if (present_proposal(path, &request, 1, &part, &error)) fail_msg("%s", error.text);
    look_at(page);
    curves_release(&curves);
    results_release(&results);
}

static void test_study(void **state)
{
    (void)state;
    look_at_study("study");
}

static void test_study_without_gnuplot(void **state)
{
    (void)state;
    setenv("SPEEDUP_GNUPLOT", "/nonexistent/gnuplot", 1);
    look_at_study("plain");
    unsetenv("SPEEDUP_GNUPLOT");
}

/* The test must be able to fail: a page with each fault. */
static void test_faults_are_found(void **state)
{
    (void)state;
    static const char text[] =
        "<!DOCTYPE html><html lang='en'><title>x</title><h1>a</h1><h1>b</h1><p id='p' style='width:3000px'>wide</p>"
        "<a href='#none'>x</a><a href='elsewhere'>x</a><p id='p'></p><svg width='200' height='40'>"
        "<text x='1' y='20'>one</text><text x='3' y='20'>two</text></svg><script>console.error('loud')</script>"
        "<img alt='' src='nowhere.png'>";
    char path[PATH_LENGTH], url[PATH_LENGTH + 8];
    json_t *console, *requests;
    snprintf(path, sizeof path, "%s/faults.html", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    browser_set_screen(browser, 390, 844, false);
    browser_take_logs(browser, &console, &requests);
    json_decref(console);
    json_decref(requests);
    snprintf(url, sizeof url, "file://%s", path);
    browser_visit(browser, url);
    json_t *looks = browser_run(browser, look_script), *clicks = browser_run(browser, click_script);
    browser_take_logs(browser, &console, &requests);
    json_t *found = json_pack("[o,o,o,o]", looks, clicks, console, requests);
    char *all = json_dumps(found, JSON_INDENT(1));
    json_decref(found);
    static const char *const faults[] = {"wider than the screen", "sticks out",    "texts overlap", "not one h1",
                                         "leads nowhere",         "leads away",    "id twice: p",   "loud",
                                         "nowhere.png",           "without a text"};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        if (!strstr(all, faults[i])) fail_msg("'%s' was not found: %s", faults[i], all);
    free(all);
}

static int open_browser(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int close_browser(void **state)
{
    (void)state;
    char command[64];
    browser_close(browser);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faults_are_found),
        cmocka_unit_test(test_lesson),
        cmocka_unit_test(test_study),
        cmocka_unit_test(test_study_without_gnuplot),
    };
    browser = browser_open();
    if (!browser) return SKIPPED;
    return cmocka_run_group_tests(tests, open_browser, close_browser);
}
