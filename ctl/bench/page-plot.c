/* SPDX-License-Identifier: MIT */
/* The two pictures of the page: how often which latency was, and which latency how many requests are below. */
#include "config.h"

#include <math.h>

#include "ctl/bench/show.h"

#define WIDTH 900.0
#define HEIGHT 320.0
#define LEFT 70.0
#define RIGHT 40.0
#define TOP 30.0
#define BOTTOM 45.0
#define STEPS 96u

/* The range of latencies of both sides, in ns; logarithms to the base of 10. */
struct range {
	double low;
	double high;
};

static const struct histogram *histogram_of(const struct bench_result *result, enum bench_transport transport)
{
	const struct bench_side *side = &result->side[transport];

	return side->outcome == BENCH_MEASURED && side->numbers.load.latency.count ? &side->numbers.load.latency : NULL;
}

static bool find_range(const struct bench_result *result, struct range *range)
{
	*range = (struct range){.low = 99, .high = 0};
	for (enum bench_transport i = 0; i < BENCH_TRANSPORTS; i++) {
		const struct histogram *h = histogram_of(result, i);

		if (!h)
			continue;
		range->low = fmin(range->low, log10((double)(h->min ? h->min : 1)));
		range->high = fmax(range->high, log10((double)(h->max ? h->max : 1)));
	}
	if (range->low > range->high)
		return false;
	range->low = floor(range->low * 5) / 5;
	range->high = fmax(ceil(range->high * 5) / 5, range->low + 0.4);
	return true;
}

static double x_of(double share)
{
	return LEFT + share * (WIDTH - LEFT - RIGHT);
}

static double y_of(double share)
{
	return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM);
}

static void begin(FILE *stream, const char *id, const char *label, const struct bench_result *result)
{
	double x = LEFT;

	fprintf(stream, "<svg id=\"%s\" viewBox=\"0 0 %g %g\" role=\"img\" aria-label=\"%s\">\n", id, WIDTH, HEIGHT,
		label);
	for (enum bench_transport i = 0; i < BENCH_TRANSPORTS; i++) {
		if (!histogram_of(result, i))
			continue;
		fprintf(stream,
			"<rect class=\"%s\" x=\"%g\" y=\"8\" width=\"12\" height=\"12\"/>"
			"<text x=\"%g\" y=\"18\">%s</text>\n",
			bench_transport_key(i), x, x + 18, bench_side_kind(result, i));
		x += 90;
	}
}

static void time_text(double ns, char out[static 24])
{
	if (ns < 1e6)
		(void)snprintf(out, 24, "%g µs", ns / 1e3);
	else if (ns < 1e9)
		(void)snprintf(out, 24, "%g ms", ns / 1e6);
	else
		(void)snprintf(out, 24, "%g s", ns / 1e9);
}

/* Lines at 1, 2 and 5 of each power of ten; across: of a horizontal axis. */
static void put_times(FILE *stream, const struct range *range, bool across)
{
	static const double steps[] = {1, 2, 5};
	char text[24];

	for (int power = (int)floor(range->low); power <= (int)range->high; power++) {
		for (size_t i = 0; i < 3; i++) {
			double at = (power + log10(steps[i]) - range->low) / (range->high - range->low);

			if (at < -1e-9 || at > 1 + 1e-9)
				continue;
			time_text(steps[i] * pow(10, power), text);
			if (across)
				fprintf(stream,
					"<path class=\"grid\" d=\"M%.1f %g V%g\"/><text x=\"%.1f\" y=\"%g\" "
					"text-anchor=\"middle\">%s</text>\n",
					x_of(at), TOP, HEIGHT - BOTTOM, x_of(at), HEIGHT - BOTTOM + 18, text);
			else
				fprintf(stream,
					"<path class=\"grid\" d=\"M%g %.1f H%g\"/><text x=\"%g\" y=\"%.1f\" "
					"text-anchor=\"end\">%s</text>\n",
					LEFT, y_of(at), WIDTH - RIGHT, LEFT - 6, y_of(at) + 4, text);
		}
	}
}

/* Requests by equal steps of the logarithm. Returns the highest share. */
static double gather(const struct histogram *h, const struct range *range, double share[static STEPS])
{
	double highest = 0;

	for (size_t i = 0; i < STEPS; i++)
		share[i] = 0;
	for (size_t b = 0; b < HISTOGRAM_BUCKETS; b++) {
		double middle = ((double)histogram_low(b) + (double)histogram_low(b + 1)) / 2;
		double at = (log10(middle) - range->low) / (range->high - range->low) * STEPS;
		size_t step = at <= 0 ? 0 : at >= STEPS ? STEPS - 1 : (size_t)at;

		if (h->bucket[b])
			share[step] += (double)h->bucket[b] / (double)h->count;
	}
	for (size_t i = 0; i < STEPS; i++)
		highest = fmax(highest, share[i]);
	return highest;
}

static void put_bars(FILE *stream, const char *class, const double share[static STEPS], double highest)
{
	fprintf(stream, "<path class=\"%s bar\" d=\"M%.1f %.1f", class, x_of(0), y_of(0));
	for (size_t i = 0; i < STEPS; i++)
		fprintf(stream, " V%.1f H%.1f", y_of(share[i] / highest), x_of((double)(i + 1) / STEPS));
	fprintf(stream, " V%.1f Z\"/>\n", y_of(0));
}

void plot_histograms(FILE *stream, const struct bench_result *result)
{
	double share[BENCH_TRANSPORTS][STEPS];
	double highest = 0;
	struct range range;

	if (!find_range(result, &range))
		return;
	for (enum bench_transport i = 0; i < BENCH_TRANSPORTS; i++)
		if (histogram_of(result, i))
			highest = fmax(highest, gather(histogram_of(result, i), &range, share[i]));
	begin(stream, "histogram", "How often which latency was", result);
	put_times(stream, &range, true);
	for (int i = 0; i <= 4; i++)
		fprintf(stream,
			"<path class=\"grid\" d=\"M%g %.1f H%g\"/><text x=\"%g\" y=\"%.1f\" text-anchor=\"end\">%.1f "
			"%%</text>\n",
			LEFT, y_of(i / 4.0), WIDTH - RIGHT, LEFT - 6, y_of(i / 4.0) + 4, highest * i * 25);
	for (enum bench_transport i = 0; i < BENCH_TRANSPORTS; i++)
		if (histogram_of(result, i))
			put_bars(stream, bench_transport_key(i), share[i], highest);
	fprintf(stream,
		"<text x=\"%g\" y=\"%g\" text-anchor=\"middle\">latency; requests in each of %u steps</text>\n</svg>\n",
		x_of(0.5), HEIGHT - 6, STEPS);
}

/* How far right a share of all requests stands: each nine as far as the one before. */
static double nines(double share)
{
	return -log10(1 - share) / 5;
}

static void put_curve(FILE *stream, const char *class, const struct histogram *h, const struct range *range)
{
	fprintf(stream, "<path class=\"%s curve\" d=\"", class);
	for (unsigned i = 0; i <= 200; i++) {
		double share = 1 - pow(10, -5.0 * i / 200);
		double value = (double)histogram_at(h, share);
		double at = (log10(fmax(value, 1)) - range->low) / (range->high - range->low);

		fprintf(stream, "%c%.1f %.1f", i ? 'L' : 'M', x_of(nines(share)), y_of(fmin(fmax(at, 0), 1)));
		/* Beyond that there is not one request. */
		if ((1 - share) * (double)h->count < 1)
			break;
	}
	fputs("\"/>\n", stream);
}

void plot_percentiles(FILE *stream, const struct bench_result *result)
{
	static const struct {
		double share;
		const char *text;
	} marks[] = {{0, "0 %"}, {0.5, "50 %"}, {0.75, "75 %"}, {0.9, "90 %"}, {0.99, "99 %"}, {0.999, "99.9 %"},
		{0.9999, "99.99 %"}, {0.99999, "99.999 %"}};
	struct range range;

	if (!find_range(result, &range))
		return;
	begin(stream, "percentiles", "Which latency how many requests are below", result);
	put_times(stream, &range, false);
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		fprintf(stream,
			"<path class=\"grid\" d=\"M%.1f %g V%g\"/><text x=\"%.1f\" y=\"%g\" "
			"text-anchor=\"middle\">%s</text>\n",
			x_of(nines(marks[i].share)), TOP, HEIGHT - BOTTOM, x_of(nines(marks[i].share)),
			HEIGHT - BOTTOM + 18, marks[i].text);
	for (enum bench_transport i = 0; i < BENCH_TRANSPORTS; i++)
		if (histogram_of(result, i))
			put_curve(stream, bench_transport_key(i), histogram_of(result, i), &range);
	fprintf(stream,
		"<text x=\"%g\" y=\"%g\" text-anchor=\"middle\">share of the requests that were at most that "
		"late</text>\n</svg>\n",
		x_of(0.5), HEIGHT - 6);
}
