/* The summary for people. */
#ifndef TESTS_LOAD_REPORT_H
#define TESTS_LOAD_REPORT_H

#include <jansson.h>
#include <stdio.h>

/* Of the finished JSON of summary.h. */
void report_write(FILE *to, const json_t *summary);

#endif
