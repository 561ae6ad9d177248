/* SPDX-License-Identifier: MIT */
/* Writes pages of made-up results: bench-page both|fallen FILE. For tests/ctl/bench-page.sh, which looks at them in a browser. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/bench/show.h"

/* A hump around middle ns with a long tail. */
static void fill(struct histogram *h, double middle)
{
	uint64_t random = 1;

	for (size_t i = 0; i < 20000; i++) {
		double sum = 0;

		for (int k = 0; k < 6; k++) {
			random = random * 6364136223846793005u + 1442695040888963407u;
			sum += (double)(random >> 40) / (1 << 24);
		}
		histogram_add(h, (uint64_t)(middle * (0.4 + sum / 5) * (i % 100 ? 1 : 4)), 1);
	}
}

int main(int argc, char **argv)
{
	struct bench_result *result = calloc(1, sizeof(*result));
	int r;

	if (!result || argc != 3)
		return 64;
	result->params = (struct bench_params){.transport = {true, true},
		.connections = 64,
		.payload = 128,
		.threads = 2,
		.rounds = 2,
		.duration = 2 * BENCH_SECOND,
		.warmup = BENCH_SECOND,
		.timeout = 10 * BENCH_SECOND,
		.get = "/<b>\"&'</b><script>throw 1</script>"};
	(void)snprintf(result->address, sizeof(result->address), "10.0.0.7:7411<script>throw 2</script>");
	result->slice = calloc(4, sizeof(*result->slice));
	if (!result->slice)
		return 1;
	result->slices = 4;
	for (size_t i = 0; i < 4; i++) {
		struct bench_slice *slice = &result->slice[i];
		struct bench_side *side = &result->side[i % 2];

		slice->transport = (enum bench_transport)(i % 2);
		slice->numbers.time = BENCH_SECOND;
		slice->numbers.load.completed = 20000;
		fill(&slice->numbers.load.latency, i % 2 ? 400000 : 700000);
		side->outcome = BENCH_MEASURED;
		side->sample.result = i % 2 ? HANDSHAKE_SMC_D : HANDSHAKE_TCP;
		bench_numbers_add(&side->numbers, &slice->numbers);
	}
	if (strcmp(argv[1], "fallen") == 0) {
		result->side[BENCH_SMC].outcome = BENCH_FELL_BACK;
		result->side[BENCH_SMC].sample.reason = 0x03010000;
		result->slices = 0;
	}
	r = bench_page(argv[2], result);
	bench_result_clear(result);
	free(result);
	return r < 0;
}
