/* SPDX-License-Identifier: MIT */
/* Tests of the benchmark's parts that need no network: histogram, heads of HTTP, status, ratios, comparison, captured numbers. */
#include "config.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "ctl/bench/compare.h"
#include "ctl/bench/exec.h"
#include "ctl/bench/protocol.h"
#include "ctl/bench/result.h"
#include "ctl/bench/show.h"
#include "ctl/bench/status.h"
#include "ctl/http.h"

static struct histogram *histogram_new(void)
{
	struct histogram *h = calloc(1, sizeof(*h));

	assert_non_null(h);
	return h;
}

static void test_buckets(void **state)
{
	(void)state;
	/* Without a gap, and each value in the one that begins at or below it. */
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		uint64_t low = histogram_low(i);

		assert_int_equal(histogram_bucket(low), i);
		assert_int_equal(histogram_bucket(histogram_low(i + 1) - 1), i);
		/* An error below 0.8 %. */
		assert_true(low < 256 || (double)(histogram_low(i + 1) - low) / (double)low < 0.008);
	}
	assert_int_equal(histogram_bucket(UINT64_MAX), HISTOGRAM_BUCKETS - 1);
	assert_int_equal(histogram_low(HISTOGRAM_BUCKETS), UINT64_C(1) << HISTOGRAM_VALUE_BITS);
}

static int compare_values(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a;
	uint64_t y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void test_percentiles(void **state)
{
	static const double shares[] = {0, 0.001, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 1};
	static uint64_t values[10007];
	const size_t count = sizeof(values) / sizeof(values[0]);
	struct histogram *h[3] = {histogram_new(), histogram_new(), histogram_new()};
	uint64_t random = 7;

	(void)state;
	for (size_t i = 0; i < count; i++) {
		random = random * 6364136223846793005u + 1442695040888963407u;
		values[i] = (random >> 40) >> ((random >> 8) % 20);
		histogram_add(h[0], values[i], 1);
		histogram_add(h[1 + i % 2], values[i], 1);
	}
	qsort(values, count, sizeof(values[0]), compare_values);
	/* Halves that are merged are the whole. */
	histogram_merge(h[1], h[2]);
	assert_memory_equal(h[0], h[1], sizeof(*h[0]));
	for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
		double rank = ceil(shares[i] * (double)count);
		uint64_t exact = values[rank < 1 ? 0 : (size_t)rank - 1];
		uint64_t found = histogram_at(h[0], shares[i]);

		assert_true(found >= exact);
		assert_true((double)(found - exact) <= 0.008 * (double)exact);
	}
	assert_int_equal(histogram_at(h[0], 1), values[count - 1]);
	assert_int_equal(h[0]->min, values[0]);
	memset(h[2], 0, sizeof(*h[2]));
	assert_int_equal(histogram_at(h[2], 0.5), 0);
	assert_int_equal(histogram_mean(h[2]), 0);
	histogram_add(h[2], 5, 3);
	histogram_add(h[2], 100, 1);
	assert_int_equal(histogram_at(h[2], 0.75), 5);
	assert_int_equal(histogram_at(h[2], 0.76), 100);
	for (size_t i = 0; i < 3; i++)
		free(h[i]);
}

static const struct {
	const char *text;
	int result;
	unsigned status;
	int64_t length; /* -1: has none */
	bool close;
	bool chunked;
} responses[] = {
	{"HTTP/1.1 200 OK\r\nContent-Length: 128\r\n\r\n", 1, 200, 128, false, false},
	{"HTTP/1.1 200 OK\r\ncontent-length:0 \r\n\r\n", 1, 200, 0, false, false},
	{"HTTP/1.1 204 \r\n\r\n", 1, 204, -1, false, false},
	{"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n", 1, 200, 1, true, false},
	{"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n", 1, 200, -1, false, false},
	{"HTTP/1.1 200 OK\r\nConnection: Close\r\n\r\n", 1, 200, -1, true, false},
	{"HTTP/1.1 500 no\r\nTransfer-Encoding: chunked\r\n\r\n", 1, 500, -1, false, true},
	{"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", 1, 200, 1, false, false},
	{"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", -EBADMSG, 0, 0, false, false},
	{"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", -EBADMSG, 0, 0, false, false},
	{"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", -EBADMSG, 0, 0, false, false},
	{"HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775808\r\n\r\n", -EBADMSG, 0, 0, false, false},
	{"HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n", -EBADMSG, 0, 0, false, false},
	{"HTTP/1.1 20 OK\r\n\r\n", -EBADMSG, 0, 0, false, false},
	{"HTTP/2 200\r\n\r\n", -EBADMSG, 0, 0, false, false},
	{"\r\n\r\n", -EBADMSG, 0, 0, false, false},
	{"-ERR unknown\r\n\r\n", -EBADMSG, 0, 0, false, false},
	{"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n", 0, 0, 0, false, false},
	{"", 0, 0, 0, false, false},
};

static void test_responses(void **state)
{
	struct http_head head;
	char *flood = malloc(BENCH_HEAD_MAX + 100);

	(void)state;
	for (size_t i = 0; i < sizeof(responses) / sizeof(responses[0]); i++) {
		assert_int_equal(http_response(responses[i].text, strlen(responses[i].text), BENCH_HEAD_MAX, &head),
			responses[i].result);
		if (responses[i].result <= 0)
			continue;
		assert_int_equal(head.size, strlen(responses[i].text));
		assert_int_equal(head.status, responses[i].status);
		assert_int_equal(head.has_length ? (int64_t)head.length : -1, responses[i].length);
		assert_int_equal(head.close, responses[i].close);
		assert_int_equal(head.chunked, responses[i].chunked);
	}
	assert_non_null(flood);
	memset(flood, 'x', BENCH_HEAD_MAX + 100);
	assert_int_equal(http_response(flood, BENCH_HEAD_MAX - 1, BENCH_HEAD_MAX, &head), 0);
	assert_int_equal(http_response(flood, BENCH_HEAD_MAX, BENCH_HEAD_MAX, &head), -EMSGSIZE);
	assert_int_equal(http_response(flood, BENCH_HEAD_MAX + 100, BENCH_HEAD_MAX, &head), -EMSGSIZE);
	free(flood);
}

static void test_requests(void **state)
{
	static const char post[] = "POST /x HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc";
	static const char *const bad[] = {"GET /\r\n\r\n", "GET  HTTP/2\r\n\r\n", "BREW / HTTP/1.1\r\n\r\n",
		"GET / HTTP/1.1 \r\n\r\n", "\r\n\r\n"};
	struct http_head head;

	(void)state;
	assert_int_equal(http_request(post, sizeof(post) - 1, BENCH_HEAD_MAX, &head), 1);
	assert_int_equal(head.size, sizeof(post) - 4);
	assert_int_equal(head.method, HTTP_POST);
	assert_false(head.expects);
	assert_int_equal(head.length, 3);
	assert_int_equal(head.target_size, 2);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(http_request(bad[i], strlen(bad[i]), BENCH_HEAD_MAX, &head), -EBADMSG);
	assert_int_equal(http_looks_like_request("GE", 2), 0);
	assert_int_equal(http_looks_like_request("GET ", 4), 1);
	assert_int_equal(http_looks_like_request("GETx", 4), -1);
	assert_int_equal(http_looks_like_request("\x01", 1), -1);
}

static void test_status(void **state)
{
	static const char good[] =
		BENCH_STATUS_FIRST "cpu_ns 12\naccepted_smc 3\naccepted_tcp 4\ntcp_port 5\nsmc_listener 1\n";
	static const char odd[] =
		BENCH_STATUS_FIRST "tcp_port 65536\ncpu_ns -1\naccepted_smc 99999999999999999999999999\n";
	struct status status;

	(void)state;
	assert_int_equal(status_parse(good, sizeof(good) - 1, &status), 0);
	assert_int_equal(status.cpu, 12);
	assert_int_equal(status.accepted[BENCH_SMC], 3);
	assert_int_equal(status.accepted[BENCH_TCP], 4);
	assert_int_equal(status.tcp_port, 5);
	assert_true(status.smc_listener);
	assert_int_equal(status_parse(odd, sizeof(odd) - 1, &status), 0);
	assert_int_equal(status.tcp_port, 0);
	assert_int_equal(status.cpu, 0);
	assert_int_equal(status.accepted[BENCH_SMC], 0);
	assert_int_equal(status_parse("hello\n", 6, &status), -ENOENT);
	assert_int_equal(status_parse(good, 5, &status), -ENOENT);
}

/* Slices by turns, of which slice i has that many requests. */
static struct bench_result *result_of(const uint64_t *requests, size_t count)
{
	struct bench_result *result = calloc(1, sizeof(*result));

	assert_non_null(result);
	result->params =
		(struct bench_params){.payload = 100, .transport = {true, true}, .rounds = (uint32_t)count / 2};
	result->params.duration = BENCH_SECOND * count / 2;
	result->slice = calloc(count, sizeof(*result->slice));
	assert_non_null(result->slice);
	result->slices = count;
	for (size_t i = 0; i < count; i++) {
		struct bench_slice *slice = &result->slice[i];

		slice->transport = i % 2 ? BENCH_SMC : BENCH_TCP;
		slice->numbers.time = BENCH_SECOND;
		slice->numbers.load.completed = requests[i];
		histogram_add(&slice->numbers.load.latency, 64 * BENCH_SECOND / requests[i], requests[i]);
		result->side[slice->transport].outcome = BENCH_MEASURED;
		bench_numbers_add(&result->side[slice->transport].numbers, &slice->numbers);
	}
	return result;
}

static void free_result(struct bench_result *result)
{
	bench_result_clear(result);
	free(result);
}

static void test_drift(void **state)
{
	/* SMC is three halves of TCP, while the machine gets slower by a tenth from slice to slice. */
	uint64_t requests[10];
	double speed = 1000000;
	struct bench_result *result;
	struct bench_ratio ratio;

	(void)state;
	for (size_t i = 0; i < 10; i++, speed *= 0.9)
		requests[i] = (uint64_t)(i % 2 ? speed * 1.5 : speed);
	result = result_of(requests, 10);
	bench_ratio(result, METRIC_REQUESTS, &ratio);
	assert_int_equal(ratio.count, 8);
	assert_true(
		fabs(ratio.median - 1.5) < 0.001 && fabs(ratio.low - 1.5) < 0.001 && fabs(ratio.high - 1.5) < 0.001);
	bench_ratio(result, METRIC_P50, &ratio);
	assert_true(fabs(ratio.median - 1 / 1.5) < 0.01);
	/* The server did not tell. */
	bench_ratio(result, METRIC_SERVER_CPU, &ratio);
	assert_int_equal(ratio.count, 0);
	free_result(result);
}

static void test_one_round(void **state)
{
	struct bench_result *result = result_of((const uint64_t[]){1000, 3000}, 2);
	struct bench_ratio ratio;

	(void)state;
	bench_ratio(result, METRIC_REQUESTS, &ratio);
	assert_int_equal(ratio.count, 1);
	assert_true(fabs(ratio.median - 3) < 0.001);
	result->slices = 1;
	bench_ratio(result, METRIC_REQUESTS, &ratio);
	assert_int_equal(ratio.count, 0);
	result->slices = 0;
	bench_ratio(result, METRIC_REQUESTS, &ratio);
	assert_int_equal(ratio.count, 0);
	free_result(result);
}

static char *json_of(struct bench_result *result)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	assert_non_null(stream);
	assert_int_equal(bench_show(stream, true, result), 0);
	assert_int_equal(fclose(stream), 0);
	return text;
}

static void test_compare(void **state)
{
	struct bench_result *before = result_of((const uint64_t[]){1000, 3000, 1010, 3030}, 4);
	struct bench_result *after = result_of((const uint64_t[]){1005, 4000, 1015, 4040}, 4);
	char *text[2] = {json_of(before), json_of(after)};
	struct compare_run a;
	struct compare_run b;
	const char *why;
	char *shown = NULL;
	size_t size;
	FILE *stream = open_memstream(&shown, &size);

	(void)state;
	assert_int_equal(compare_parse(text[0], &a, &why), 0);
	assert_int_equal(compare_parse(text[1], &b, &why), 0);
	assert_string_equal(a.parameters, b.parameters);
	assert_true(fabs(a.value[BENCH_SMC][METRIC_REQUESTS] - 3015) < 0.1);
	assert_true(fabs(a.low[BENCH_SMC][METRIC_REQUESTS] - 3000) < 0.1);
	assert_int_equal(compare_show(stream, true, &a, &b), 0);
	assert_int_equal(fclose(stream), 0);
	assert_non_null(strstr(shown,
		"\"transport\":\"tcp\",\"metric\":\"requests_per_second\",\"a\":1005.0,\"b\":1010.0,"
		"\"ratio\":1.005,\"verdict\":\"within the spread\""));
	assert_non_null(strstr(shown,
		"\"transport\":\"smc\",\"metric\":\"requests_per_second\",\"a\":3015.0,\"b\":4020.0,"
		"\"ratio\":1.333,\"verdict\":\"better\""));
	/* Less of a latency is better. */
	assert_non_null(strstr(shown, "\"transport\":\"smc\",\"metric\":\"p50_ns\""));
	assert_null(strstr(shown, "\"worse\""));
	assert_int_equal(compare_parse("{}", &a, &why), -EBADMSG);
	assert_int_equal(compare_parse("[1", &a, &why), -EBADMSG);
	assert_int_equal(compare_parse("{\"parameters\":{},\"results\":[{\"transport\":7},5,null]}", &a, &why), 0);
	assert_false(a.measured[BENCH_TCP]);
	for (size_t i = 0; i < 2; i++)
		free(text[i]);
	free(shown);
	free_result(before);
	free_result(after);
}

/* An outcome that is none has words, and no numbers. */
static void test_why_not(void **state)
{
	static const struct {
		struct bench_side side;
		const char *says;
	} sides[] = {
		{{.outcome = BENCH_MEASURED}, ""},
		{{.outcome = BENCH_FELL_BACK, .sample = {.reason = 0x03010000}, .meant = 64, .otherwise = 64},
			"fell back to TCP: PEERNOSMC: the peer did not say in the TCP handshake that it can SMC; "
			"accelerate the "
			"program on the other side, or find what strips TCP option 254 on the way"},
		{{.outcome = BENCH_FELL_BACK,
			 .sample = {.reason = 0x05000000, .peer_reason = 0x03030008},
			 .meant = 64,
			 .otherwise = 3},
			"3 of 64 connections fell back to TCP: the peer declined: NOUEID: the peer sent no EID that "
			"this host "
			"has; add the same UEID on both hosts"},
		{{.outcome = BENCH_FELL_BACK, .sample = {.reason = 0x12345678}, .meant = 1, .otherwise = 1},
			"fell back to TCP (reason 0x12345678); smcctl check says more about the path"},
		{{.outcome = BENCH_NO_SMC, .error = -EPROTONOSUPPORT},
			"this host has no SMC: Protocol not supported; smcctl doctor says what is missing"},
	};
	char text[400];

	(void)state;
	for (size_t i = 0; i < sizeof(sides) / sizeof(sides[0]); i++) {
		bench_why_not(&sides[i].side, text, sizeof(text));
		assert_string_equal(text, sides[i].says);
	}
}

static void test_numbers(void **state)
{
	static const struct {
		const char *regex;
		const char *output;
		double value; /* NAN: none */
	} cases[] = {
		{"summary: ([0-9.]+)", "x\n  throughput summary: 123.5 requests per second\n", 123.5},
		{"[0-9]+", "1\n22\n333\n", 333},
		{"^rate ([0-9]+)", "rate 1\nno rate 2\nrate 3", 3},
		{"rate: (.*)", "rate: 7\nrate: many\n", 7},
		{"rate", "nothing", NAN},
		{"rate", "rate\n", NAN},
		{"x*", "5", NAN},
		{"([0-9]+)|(z)", "4 z", 4},
		{"(inf)", "inf", NAN},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		double value = NAN;
		regex_t regex;

		assert_int_equal(regcomp(&regex, cases[i].regex, REG_EXTENDED | REG_NEWLINE), 0);
		assert_int_equal(exec_number(&regex, cases[i].output, &value), !isnan(cases[i].value));
		if (!isnan(cases[i].value))
			assert_true(value == cases[i].value);
		regfree(&regex);
	}
}

static int capture(const char *script, uint64_t limit, char **output)
{
	char *argv[] = {(char *)"sh", (char *)"-c", (char *)script, NULL};

	return exec_capture(argv, environ, limit, output);
}

static void test_capture(void **state)
{
	char *argv[] = {(char *)"/nonexistent/program", NULL};
	uint64_t began = bench_now();
	char *output;

	(void)state;
	assert_int_equal(
		capture("echo out; echo err >&2; printf 'a\\rb\\000c'; exit 3", 10 * BENCH_SECOND, &output), 3);
	assert_string_equal(output, "out\nerr\na\nb\nc");
	free(output);
	assert_int_equal(capture("kill -9 $$", 10 * BENCH_SECOND, &output), 128 + 9);
	free(output);
	assert_int_equal(capture("cat", 10 * BENCH_SECOND, &output), 0);
	free(output);
	assert_int_equal(exec_capture(argv, environ, BENCH_SECOND, &output), -ENOENT);
	free(output);
	assert_true(bench_now() - began < 5 * BENCH_SECOND);
	/* It ends although something holds the pipe, and although the program has closed it. */
	began = bench_now();
	assert_int_equal(capture("sleep 20 & echo done", 10 * BENCH_SECOND, &output), 0);
	assert_string_equal(output, "done\n");
	free(output);
	assert_int_equal(capture("exec >&- 2>&-; exec sleep 20", BENCH_SECOND / 5, &output), -ETIMEDOUT);
	free(output);
	assert_int_equal(capture("exec yes", 60 * BENCH_SECOND, &output), -EFBIG);
	free(output);
	assert_true(bench_now() - began < 15 * BENCH_SECOND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_buckets),
		cmocka_unit_test(test_percentiles),
		cmocka_unit_test(test_responses),
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_drift),
		cmocka_unit_test(test_one_round),
		cmocka_unit_test(test_compare),
		cmocka_unit_test(test_why_not),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_capture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
