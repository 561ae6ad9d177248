/* SPDX-License-Identifier: MIT */
/* A main() for fuzz targets in make check: gives the target every seed, each of its beginnings, and hurt copies of it. */
#include "config.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* On the heap at its very size, so that a sanitizer sees a read beyond it. */
static void try(const uint8_t *seed, size_t size, uint64_t *random, unsigned changes)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		abort();
	memcpy(copy, seed, size);
	for (unsigned i = 0; size && i < changes; i++) {
		static const uint8_t values[] = {0x00, 0x01, 0x7f, 0x80, 0xff};

		*random = *random * 6364136223846793005u + 1442695040888963407u;
		copy[(*random >> 33) % size] =
			i % 2 ? values[(*random >> 20) % sizeof(values)] : (uint8_t)(*random >> 12);
	}
	(void)LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static bool hurt(const char *path)
{
	static uint8_t seed[1 << 16];
	FILE *file = fopen(path, "rb");
	uint64_t random = 1;
	size_t size;

	if (!file)
		return false;
	size = fread(seed, 1, sizeof(seed), file);
	fclose(file);
	for (size_t cut = 0; cut <= size; cut++)
		try(seed, cut, &random, 0);
	for (unsigned i = 0; i < HURT_MUTATIONS; i++)
		try(seed, size, &random, 1 + i % 8);
	return size > 0;
}

static int visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

int main(void)
{
	const char *top = getenv("top_srcdir");
	char directory[1500];
	struct dirent **seeds;
	int count;

	snprintf(directory, sizeof(directory), "%s/tests/fuzz/%s", top ? top : ".", HURT_SEEDS);
	count = scandir(directory, &seeds, visible, alphasort);
	if (count <= 0) {
		printf("1..1\nnot ok 1 - no seeds in %s\n", directory);
		return 1;
	}
	printf("1..%d\n", count);
	for (int i = 0; i < count; i++) {
		char path[1800];

		snprintf(path, sizeof(path), "%s/%s", directory, seeds[i]->d_name);
		printf("%sok %d - %s\n", hurt(path) ? "" : "not ", i + 1, seeds[i]->d_name);
		free(seeds[i]);
	}
	free(seeds);
	return 0;
}
