/* SPDX-License-Identifier: MIT */
/* The page: what was measured and what came out, with its pictures inside; no script, nothing loaded. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "ctl/bench/show.h"

static const char style[] =
	"body{font:15px/1.5 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 "
	"1em;color:#1b1f24;background:#fff}"
	"h1{font-size:1.5em}h2{font-size:1.15em;margin-top:2em}"
	"table{border-collapse:collapse;margin:1em 0}th,td{padding:.25em .8em;border-bottom:1px solid "
	"#d8dee4;text-align:right}"
	"th:first-child,td:first-child{text-align:left}"
	".why{background:#fff4e5;border-left:4px solid #c2570c;padding:.6em 1em}"
	"svg{width:100%;height:auto}svg text{font:12px system-ui,sans-serif;fill:#444c56}"
	".tcp{fill:#6e7781;stroke:#6e7781}.smc{fill:#0b62c4;stroke:#0b62c4}"
	".bar{fill-opacity:.45;stroke-width:1}.curve{fill:none;stroke-width:2}.grid{stroke:#d8dee4;stroke-width:1}";

/* Text between tags and in attributes. */
static void put_text(FILE *stream, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '<':
			fputs("&lt;", stream);
			break;
		case '>':
			fputs("&gt;", stream);
			break;
		case '&':
			fputs("&amp;", stream);
			break;
		case '"':
			fputs("&quot;", stream);
			break;
		default:
			/* A host or path of the command line may have any bytes. */
			fputc((unsigned char)*text < 0x20 ? '?' : *text, stream);
		}
	}
}

static void put_row(FILE *stream, const char *name, const char *value)
{
	fputs("<tr><td>", stream);
	put_text(stream, name);
	fputs("</td><td>", stream);
	put_text(stream, value);
	fputs("</td></tr>\n", stream);
}

static void put_parameters(FILE *stream, const struct bench_result *result)
{
	char text[BENCH_WORDS];

	fputs("<h2>Parameters</h2>\n<table id=\"parameters\">\n", stream);
	put_row(stream, "Server", result->address);
	put_row(stream, "Program", result->ours ? "smcctl bench server" : "another program");
	bench_words(&result->params, text);
	put_row(stream, "Workload", text);
	if (result->params.get)
		put_row(stream, "Path", result->params.get);
	bench_schedule_words(&result->params, text);
	put_row(stream, "Measured", text);
	(void)snprintf(text, sizeof(text), "%g s for a connection or an answer", (double)result->params.timeout / 1e9);
	put_row(stream, "Time limit", text);
	put_row(stream, "smcctl", PACKAGE_VERSION);
	fputs("</table>\n", stream);
}

static void put_value(
	FILE *stream, const struct bench_result *result, enum bench_transport transport, enum bench_metric metric)
{
	const struct bench_side *side = &result->side[transport];
	char text[BENCH_NUMBER] = "-";
	double value;

	if (side->outcome == BENCH_MEASURED && bench_metric_value(&result->params, &side->numbers, metric, &value))
		bench_metric_text(metric, value, text);
	fprintf(stream, "<td>%s</td>", text);
}

static void put_numbers(FILE *stream, const struct bench_result *result)
{
	struct bench_ratio ratio;

	fprintf(stream,
		"<h2>Numbers</h2>\n<table id=\"numbers\">\n<tr><th></th><th>TCP</th><th>%s</th><th>ratio</th>"
		"<th>from</th><th>to</th></tr>\n",
		result->side[BENCH_SMC].outcome == BENCH_MEASURED ? bench_side_kind(result, BENCH_SMC) : "SMC");
	for (enum bench_metric i = 0; i < METRICS; i++) {
		fprintf(stream, "<tr><td>%s</td>", bench_metric_title(i));
		put_value(stream, result, BENCH_TCP, i);
		put_value(stream, result, BENCH_SMC, i);
		bench_ratio(result, i, &ratio);
		if (ratio.count)
			fprintf(stream, "<td>%.3f</td><td>%.3f</td><td>%.3f</td>", ratio.median, ratio.low, ratio.high);
		else
			fputs("<td>-</td><td>-</td><td>-</td>", stream);
		fputs("</tr>\n", stream);
	}
	for (enum load_error e = 0; e < LOAD_ERRORS; e++) {
		uint64_t tcp = result->side[BENCH_TCP].numbers.load.errors[e];
		uint64_t smc = result->side[BENCH_SMC].numbers.load.errors[e];

		if (tcp || smc)
			fprintf(stream, "<tr><td>%s</td><td>%ju</td><td>%ju</td><td></td><td></td><td></td></tr>\n",
				load_error_text(e), (uintmax_t)tcp, (uintmax_t)smc);
	}
	fputs("</table>\n", stream);
	fputs("<p>The ratio is the median over the slices, each compared with the two of the other transport around it;"
	      " from and to are the lowest and the highest of them.</p>\n",
		stream);
}

static void put_page(FILE *stream, const struct bench_result *result)
{
	char why[400];

	fprintf(stream,
		"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		"<meta name=\"viewport\" content=\"width=device-width\">\n<title>smcctl bench: ");
	put_text(stream, result->address);
	fprintf(stream,
		"</title>\n<link rel=\"icon\" href=\"data:,\">\n<style>%s</style>\n</head>\n<body>\n<h1>TCP and SMC "
		"to ",
		style);
	put_text(stream, result->address);
	fputs("</h1>\n", stream);
	for (enum bench_transport i = 0; i < BENCH_TRANSPORTS; i++) {
		bench_why_not(&result->side[i], why, sizeof(why));
		if (!why[0])
			continue;
		fprintf(stream, "<p class=\"why\">%s was not measured: ", bench_transport_text(i));
		put_text(stream, why);
		fputs("</p>\n", stream);
	}
	put_numbers(stream, result);
	fputs("<h2>Latencies</h2>\n", stream);
	plot_histograms(stream, result);
	fputs("<h2>Latency by percentile</h2>\n", stream);
	plot_percentiles(stream, result);
	put_parameters(stream, result);
	fputs("</body>\n</html>\n", stream);
}

int bench_page(const char *path, const struct bench_result *result)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666);
	FILE *stream = fd < 0 ? NULL : fdopen(fd, "w");
	int r = 0;

	if (!stream)
		return -errno;
	(void)take_fd(fd);
	put_page(stream, result);
	errno = EIO;
	if (ferror(stream))
		r = -EIO;
	if (fclose(stream) != 0 && r == 0)
		r = -errno;
	return r;
}
