/* SPDX-License-Identifier: MIT */
/* The cost of a policy: makes large ones, loads and publishes them, decides at random addresses. For policy-bench.sh. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#include "policy/policy.h"
#include "policy/store.h"

#define SEED UINT64_C(0x5eed)

/* splitmix64: a few instructions, so that the measurement is of the decision. */
static uint64_t next_random(uint64_t *state)
{
	uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Host routes at random: every one begins an interval and ends one, so the table is as large as it can be. */
static int generate(bool ipv6, unsigned long count)
{
	uint64_t state = SEED;

	printf("{ \"version\": 1, \"rules\": [\n{ \"use\": \"smc\", \"connect\": [\n");
	for (unsigned long i = 0; i < count; i++) {
		uint64_t value = next_random(&state);
		unsigned w[4];

		for (size_t k = 0; k < 4; k++)
			w[k] = (unsigned)(value >> (16 * k)) & 0xffff;
		if (ipv6)
			printf("\"fd%02x:%x:%x:%x::%x/128\"", w[0] & 0xff, w[1] | 1, w[2] | 1, w[3] | 1, w[0] | 1);
		else
			printf("\"%u.%u.%u.%u/32\"", w[0] & 0xff, w[1] & 0xff, w[2] & 0xff, w[3] & 0xff);
		puts(i + 1 < count ? "," : "");
	}
	printf("] } ] }\n");
	return 0;
}

/* Loads, compiles and publishes a policy file as smcctl does; prints milliseconds of each and the peak memory. */
static int publish(const char *file, const char *table)
{
	_cleanup_policy_errors_ struct policy_errors errors = {0};
	_cleanup_policy_store_ struct policy_store *store = NULL;
	_cleanup_policy_image_ struct policy_image *image = NULL;
	_cleanup_policy_ struct policy *policy = NULL;
	struct policy_publication publication = {.kernel = POLICY_KERNEL_IPPROTO_SMC, .source = file, .wait = true};
	uint64_t times[4];
	struct rusage usage;
	int r;

	times[0] = now_ns();
	r = policy_load(file, &policy, &publication.digest, &errors);
	times[1] = now_ns();
	if (!r)
		r = policy_compile(policy, &image, &errors);
	times[2] = now_ns();
	publication.image = image;
	if (!r)
		r = policy_store_open(table, POLICY_STORE_CREATE, &store);
	if (!r)
		r = policy_store_publish(store, &publication, NULL);
	times[3] = now_ns();
	if (r) {
		fprintf(stderr, "policy-bench: %s: %s\n", file, errors.count ? errors.items[0].text : strerror(-r));
		return 1;
	}
	(void)getrusage(RUSAGE_SELF, &usage);
	printf("%" PRIu64 " %" PRIu64 " %" PRIu64 " %ld %zu\n", (times[1] - times[0]) / 1000000,
		(times[2] - times[1]) / 1000000, (times[3] - times[2]) / 1000000, usage.ru_maxrss / 1024,
		image->size >> 20);
	return 0;
}

/* One random destination; IPv6 ones lie in fd00::/8 as the rules do. */
static void random_address(bool ipv6, uint64_t *state, struct sockaddr_storage *out)
{
	uint64_t value = next_random(state);
	struct sockaddr_in *in = (void *)out;
	struct sockaddr_in6 *in6 = (void *)out;

	if (!ipv6) {
		in->sin_family = AF_INET;
		in->sin_port = (in_port_t)(value >> 32);
		in->sin_addr.s_addr = (in_addr_t)value;
		return;
	}
	in6->sin6_family = AF_INET6;
	in6->sin6_port = (in_port_t)(value >> 48);
	memcpy(in6->sin6_addr.s6_addr, &value, 8);
	memcpy(in6->sin6_addr.s6_addr + 8, &value, 8);
	in6->sin6_addr.s6_addr[0] = 0xfd;
}

#define BATCH 1000u

static int compare_times(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/*
 * Prints nanoseconds per decision, of batches of 1000 the median and the lowest tenth: on a machine that does other
 * things the median holds these too.
 */
static int decide(const char *table, bool ipv6, unsigned long count)
{
	_cleanup_policy_store_ struct policy_store *store = NULL;
	size_t batches = count / BATCH ? count / BATCH : 1;
	uint64_t *times = calloc(batches, sizeof(*times)), state = SEED * 3, sum = 0;
	int r = policy_store_open(table, POLICY_STORE_READ, &store);

	if (r || !times) {
		fprintf(stderr, "policy-bench: %s: %s\n", table, policy_store_strerror(r ? r : -ENOMEM));
		free(times);
		return 1;
	}
	for (size_t batch = 0; batch < batches; batch++) {
		uint64_t start = now_ns();

		for (unsigned i = 0; i < BATCH; i++) {
			struct sockaddr_storage address = {0};

			random_address(ipv6, &state, &address);
			sum += policy_map_decide(
				policy_store_map(store), POLICY_CONNECT, (struct sockaddr *)&address, sizeof(address));
		}
		times[batch] = now_ns() - start;
	}
	qsort(times, batches, sizeof(*times), compare_times);
	printf("%.1f %.1f\n", (double)times[batches / 2] / BATCH, (double)times[batches / 10] / BATCH);
	free(times);
	return sum == 1; /* uses the sum */
}

#define LINE 64u

/*
 * Prints nanoseconds of one read from a random place in as many MiB, where each place is known only from the read before:
 * what a machine needs at the least for anything that looks into that much memory.
 */
static int chase(size_t mebibytes)
{
	size_t lines = (mebibytes ? mebibytes << 20 : 65536) / LINE, at = 0;
	uint64_t state = SEED, *memory = malloc(lines * LINE), start;
	size_t *order = calloc(lines, sizeof(*order));

	if (!memory || !order) {
		free(memory);
		free(order);
		return 1;
	}
	for (size_t i = 1; i < lines; i++) {
		size_t other = next_random(&state) % (i + 1);

		order[i] = order[other];
		order[other] = i;
	}
	for (size_t i = 0; i < lines; i++)
		memory[order[i] * (LINE / 8)] = order[(i + 1) % lines];
	start = now_ns();
	for (unsigned i = 0; i < 1000 * BATCH; i++)
		at = memory[at * (LINE / 8)];
	printf("%.1f\n", (double)(now_ns() - start) / (1000 * BATCH));
	free(memory);
	free(order);
	return at == lines; /* uses it */
}

int main(int argc, char **argv)
{
	bool ipv6 = argc > 2 && !strcmp(argv[argc - 2], "6");

	if (argc == 4 && !strcmp(argv[1], "generate"))
		return generate(ipv6, strtoul(argv[3], NULL, 10));
	if (argc == 4 && !strcmp(argv[1], "publish"))
		return publish(argv[2], argv[3]);
	if (argc == 5 && !strcmp(argv[1], "decide"))
		return decide(argv[2], ipv6, strtoul(argv[4], NULL, 10));
	if (argc == 3 && !strcmp(argv[1], "chase"))
		return chase(strtoul(argv[2], NULL, 10));
	fprintf(stderr,
		"usage: policy-bench generate 4|6 COUNT\n"
		"       policy-bench publish FILE TABLE\n"
		"       policy-bench decide TABLE 4|6 COUNT\n"
		"       policy-bench chase MIB\n");
	return 64;
}
