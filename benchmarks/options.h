/* Command lines of the reference programs: `--name value`, every name known, one clear line otherwise. */
#ifndef BENCH_OPTIONS_H
#define BENCH_OPTIONS_H
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct { const char *name, *value, *help; } Option;   /* value: the default, NULL when it must be given */

static inline void usage(const char *program, const Option *options) {
    fprintf(stderr, "usage: %s [--option value ...]\n", program);
    for (const Option *o = options; o->name; o++)
        fprintf(stderr, "  --%-14s %s (%s)\n", o->name, o->help, o->value ? o->value : "required");
    exit(2);
}

static inline Option *option(Option *options, const char *name) {
    for (Option *o = options; o->name; o++) if (!strcmp(o->name, name)) return o;
    return NULL;
}

static inline void options_read(Option *options, int argc, char **argv) {
    for (int i = 1; i < argc; i += 2) {
        Option *o = strncmp(argv[i], "--", 2) ? NULL : option(options, argv[i] + 2);
        if (!o || i + 1 == argc) usage(argv[0], options);
        o->value = argv[i + 1];
    }
    for (Option *o = options; o->name; o++) if (!o->value) usage(argv[0], options);
}

static inline const char *text(Option *options, const char *name) { return option(options, name)->value; }

static inline double number(Option *options, const char *name, double least, double most) {
    char *end;
    const char *value = text(options, name);
    double x = strtod(value, &end);
    if (end == value || *end || !(x >= least && x <= most)) {
        fprintf(stderr, "--%s %s: a number from %g to %g\n", name, value, least, most);
        exit(2);
    }
    return x;
}
#endif
