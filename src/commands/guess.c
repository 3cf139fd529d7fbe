#include "guess.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TRIES_MAX = 3, GUESS_LENGTH = 64 };

static const char *refusal(const struct exercise_question *question, int status, size_t length, char *text)
{
    snprintf(text, length, "%s; allowed: a number from %g to %g", status == -ERANGE ? "out of range" : "not a number",
             question->low, question->high);
    return text;
}

static bool is_blank(const char *text)
{
    return text[strspn(text, " \t\r\n")] == '\0';
}

void guess_ask(const struct exercise_question *question, FILE *in, FILE *out, struct guess *guess_p)
{
    char *line = NULL, reason[128];
    size_t room = 0;
    bool terminal = isatty(fileno(in));
    *guess_p = (struct guess){.given = false};
    for (int i = 0; i < (terminal ? TRIES_MAX : 1) && !guess_p->given; i++) {
        fprintf(out, "   Your guess (%s): ", question->unit);
        fflush(out);
        ssize_t length = getline(&line, &room, in);
        if (length > 0 && line[length - 1] == '\n') line[--length] = '\0';
        bool none = length < 0 || is_blank(line);
        int status = none ? 0 : exercise_parse_guess(question, line, &guess_p->value);
        guess_p->given = !none && status == 0;
        /* What is typed is seen, with its newline; what comes otherwise is not. */
        if (!terminal && guess_p->given) fprintf(out, "%g", guess_p->value);
        if (!terminal && none) fputs("none", out);
        if (!terminal || length < 0) fputc('\n', out);
        if (none) break;
        if (status) fprintf(out, "   That is %s.\n", refusal(question, status, sizeof reason, reason));
    }
    free(line);
}

int guess_take(const struct exercise_question *question, const char **rest_p, struct guess *guess_p,
               struct error *error)
{
    char text[GUESS_LENGTH], reason[128];
    size_t length = strcspn(*rest_p, ",");
    *guess_p = (struct guess){.given = false};
    snprintf(text, sizeof text, "%.*s", (int)(length < sizeof text ? length : sizeof text - 1), *rest_p);
    *rest_p += length;
    *rest_p += **rest_p == ',';
    if (is_blank(text)) return STATUS_OK;
    int status = exercise_parse_guess(question, text, &guess_p->value);
    if (status)
        return error_set(error, STATUS_USAGE, "--guess '%s' is %s", text,
                         refusal(question, status, sizeof reason, reason));
    guess_p->given = true;
    return STATUS_OK;
}
