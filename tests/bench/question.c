#include "question.h"

#include "bench.h"

#include "../../kernels/montecarlo/lognormal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { PILOT = 1 << 16 };
static const double ERRORS_MAX = 5;

static double option_value(const struct question *question, const char *name)
{
    const struct kernel_option *options = question->kernel->options;
    int i = 0;
    while (strcmp(options[i].name, name) != 0) i++;
    return question->problem.options[i];
}

/* A European call: Black and Scholes. */
static void open_option(struct question *question)
{
    double rate = option_value(question, "rate"), maturity = option_value(question, "maturity");
    double volatility = option_value(question, "volatility");
    question->strike = option_value(question, "strike");
    question->drift = log(option_value(question, "spot")) + (rate - volatility * volatility / 2) * maturity;
    question->volatility = volatility * sqrt(maturity);
    question->discount = exp(-rate * maturity);
    const struct lognormal law = {.mean = question->drift, .deviation = question->volatility};
    question->answer = question->discount * lognormal_call(law, question->strike);
    question->deviation = question->discount * sqrt(lognormal_call_variance(law, question->strike));
}

static int open_ep(struct question *question, const char *class, struct error *error_p)
{
    struct size *size = &question->problem.size, pilot;
    if (!bench_list_has("S,W,A,B", class) || question->kernel->parse_size(class, size) < 0)
        return error_set(error_p, STATUS_USAGE, "--class: there is no '%s'; there are S, W, A, B", class);
    question->kernel->parse_size("S", &pilot);
    question->pilot = pilot.dim[0];
    question->fixed_size = true;
    return 0;
}

int question_open(const char *kernel, const char *class, enum isa isa, struct question *question_p,
                  struct error *error_p)
{
    *question_p =
        (struct question){.kernel = kernel_find(kernel), .isa = isa, .code = montecarlo_code_find(isa), .pilot = PILOT};
    bool is_pi = strcmp(kernel, "pi") == 0, is_ep = strcmp(kernel, "ep") == 0;
    if (!question_p->kernel || !(is_pi || is_ep || strcmp(kernel, "option") == 0))
        return error_set(error_p, STATUS_USAGE, "--kernels: there is no '%s'; there are pi, ep, option", kernel);
    problem_init(question_p->kernel, &question_p->problem);
    question_p->problem.isa = isa_name(isa);
    if (is_ep) return open_ep(question_p, class, error_p);
    if (is_pi) {
        question_p->answer = M_PI;
        question_p->deviation = sqrt(M_PI * (4 - M_PI));
    } else
        open_option(question_p);
    return 0;
}

bool question_is_answered(const struct question *question, double mean, int64_t samples, size_t length, char *why)
{
    double error = question->deviation / sqrt((double)samples), errors = fabs(mean - question->answer) / error;
    if (errors <= ERRORS_MAX) return true;
    snprintf(why, length, "WRONG: %.6f is %.1f standard errors from %.6f", mean, errors, question->answer);
    return false;
}
