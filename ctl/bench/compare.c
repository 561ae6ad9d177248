/* SPDX-License-Identifier: MIT */
/* Reads results and compares them; believes nothing of their text. */
#include "config.h"

#include "ctl/bench/compare.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#include "ctl/output.h"
#include "policy/json.h"

static void cleanup_json(cJSON **json)
{
	cJSON_Delete(*json);
}

static bool number(const cJSON *object, const char *key, double *out)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

	if (!cJSON_IsNumber(item) || !isfinite(item->valuedouble) || item->valuedouble < 0)
		return false;
	*out = item->valuedouble;
	return true;
}

/* Returns BENCH_TRANSPORTS when it is neither. */
static enum bench_transport transport_of(const cJSON *object)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, "transport"));

	for (enum bench_transport i = 0; text && i < BENCH_TRANSPORTS; i++)
		if (strcmp(text, bench_transport_key(i)) == 0)
			return i;
	return BENCH_TRANSPORTS;
}

static void take_result(const cJSON *result, struct compare_run *out)
{
	enum bench_transport transport = transport_of(result);

	if (transport == BENCH_TRANSPORTS)
		return;
	out->measured[transport] = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(result, "measured"));
	for (enum bench_metric i = 0; i < METRICS; i++)
		out->known[transport][i] = number(result, bench_metric_key(i), &out->value[transport][i]);
}

static void take_slice(const cJSON *slice, struct compare_run *out)
{
	enum bench_transport transport = transport_of(slice);
	double value;

	for (enum bench_metric i = 0; transport != BENCH_TRANSPORTS && i < METRICS; i++) {
		if (!number(slice, bench_metric_key(i), &value))
			continue;
		if (isnan(out->low[transport][i]) || value < out->low[transport][i])
			out->low[transport][i] = value;
		if (isnan(out->high[transport][i]) || value > out->high[transport][i])
			out->high[transport][i] = value;
	}
}

int compare_parse(const char *text, struct compare_run *out, const char **why)
{
	_cleanup_(cleanup_json) cJSON *root = NULL;
	const cJSON *parameters;
	const cJSON *results;
	const cJSON *item;
	struct json_fault fault;

	*why = "not JSON";
	if (!json_check(text, strlen(text), &fault))
		return -EBADMSG;
	root = cJSON_Parse(text);
	if (!root)
		return -ENOMEM;
	*why = "not a result of smcctl bench --json";
	parameters = cJSON_GetObjectItemCaseSensitive(root, "parameters");
	results = cJSON_GetObjectItemCaseSensitive(root, "results");
	if (!cJSON_IsObject(parameters) || !cJSON_IsArray(results))
		return -EBADMSG;
	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < BENCH_TRANSPORTS; i++)
		for (size_t m = 0; m < METRICS; m++)
			out->low[i][m] = out->high[i][m] = NAN;
	/* A port of the kernel's choice is no parameter. */
	cJSON_DeleteItemFromObjectCaseSensitive((cJSON *)parameters, "tcp_port");
	if (!cJSON_PrintPreallocated((cJSON *)parameters, out->parameters, sizeof(out->parameters), false))
		return -EBADMSG;
	for (item = results->child; item; item = item->next)
		take_result(item, out);
	item = cJSON_GetObjectItemCaseSensitive(root, "slices");
	for (item = item ? item->child : NULL; item; item = item->next)
		take_slice(item, out);
	return 0;
}

/* What both runs had in single slices overlaps: the difference may be chance. */
static bool overlap(const struct compare_run *a, const struct compare_run *b, size_t transport, size_t metric)
{
	return !(a->high[transport][metric] < b->low[transport][metric] ||
		b->high[transport][metric] < a->low[transport][metric]);
}

static void put_metric(struct out *out, const struct compare_run *a, const struct compare_run *b,
	enum bench_transport transport, enum bench_metric metric)
{
	double before = a->value[transport][metric];
	double after = b->value[transport][metric];
	char text[BENCH_NUMBER];
	const char *verdict;

	if (!a->known[transport][metric] || !b->known[transport][metric])
		return;
	if (overlap(a, b, transport, metric))
		verdict = "within the spread";
	else
		verdict = (after > before) == bench_metric_more(metric) ? "better" : "worse";
	out_object(out, NULL, NULL);
	out_string(out, "transport", NULL, bench_transport_key(transport));
	out_string(out, NULL, "TRANSPORT", bench_transport_text(transport));
	out_string(out, "metric", NULL, bench_metric_key(metric));
	out_string(out, NULL, "METRIC", bench_metric_title(metric));
	out_decimal(out, "a", NULL, before, 1);
	bench_metric_text(metric, before, text);
	out_string(out, NULL, "A", text);
	out_decimal(out, "b", NULL, after, 1);
	bench_metric_text(metric, after, text);
	out_string(out, NULL, "B", text);
	out_decimal(out, "ratio", "B/A", before > 0 ? after / before : NAN, 3);
	out_string(out, "verdict", "VERDICT", verdict);
	out_close(out);
}

int compare_show(FILE *stream, bool json, const struct compare_run *a, const struct compare_run *b)
{
	struct out *out;
	int r = out_begin(stream, json, &out);

	if (r < 0)
		return r;
	out_list(out, "comparison", NULL);
	for (enum bench_transport i = 0; i < BENCH_TRANSPORTS; i++)
		for (enum bench_metric m = 0; a->measured[i] && b->measured[i] && m < METRICS; m++)
			put_metric(out, a, b, i, m);
	out_close(out);
	for (enum bench_transport i = 0; i < BENCH_TRANSPORTS; i++)
		if (a->measured[i] != b->measured[i])
			out_note(
				out, "%s was measured in %s only", bench_transport_text(i), a->measured[i] ? "A" : "B");
	return out_end(out);
}
