/* SPDX-License-Identifier: MIT */
/* A result as text or JSON, and as a page. */
#ifndef SMCSHIM_CTL_BENCH_SHOW_H
#define SMCSHIM_CTL_BENCH_SHOW_H

#include <stdio.h>

#include "ctl/bench/result.h"

/* Returns 0 or -ENOMEM. */
_must_check_ int bench_show(FILE *stream, bool json, const struct bench_result *result);

/* "64 connections, 128 bytes, ...": the parameters as one line. */
#define BENCH_WORDS 200u
void bench_words(const struct bench_params *params, char out[static BENCH_WORDS]);
void bench_schedule_words(const struct bench_params *params, char out[static BENCH_WORDS]);

/*
 * Writes one HTML page that needs nothing beside it: the parameters, the numbers, both histograms, both percentile curves.
 * (page.c) Returns 0 or -errno.
 */
_must_check_ int bench_page(const char *path, const struct bench_result *result);

/* The pictures of the page, as SVG. (page-plot.c) */
void plot_histograms(FILE *stream, const struct bench_result *result);
void plot_percentiles(FILE *stream, const struct bench_result *result);

#endif
