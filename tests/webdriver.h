/* A browser for tests: Chromium, headless, driven by chromedriver over the WebDriver protocol
 * (https://www.w3.org/TR/webdriver2/), on this machine alone. What goes wrong fails the test. */
#ifndef TESTS_WEBDRIVER_H
#define TESTS_WEBDRIVER_H

#include <jansson.h>
#include <stdbool.h>

struct browser;

/* NULL where chromedriver or a browser is not installed, with the reason on standard output. */
struct browser *browser_open(void);
void browser_close(struct browser *);

void browser_visit(struct browser *, const char *url);
/* A screen of that many CSS pixels; narrow ones are a telephone's. */
void browser_set_screen(struct browser *, int width, int height, bool dark);
/* What the script returns: a new reference. */
json_t *browser_run(struct browser *, const char *script);
/* Everything since the last call: what the page wrote to the console (warnings and errors; its own, and the browser's
 * about it), and the addresses that it asked for. New references: arrays of strings. */
void browser_take_logs(struct browser *, json_t **console_p, json_t **requests_p);
/* The whole page as a PNG, as large as it is. */
void browser_screenshot(struct browser *, const char *path);

#endif
