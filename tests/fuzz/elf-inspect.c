/* SPDX-License-Identifier: MIT */
/* Fuzz target over the look at ELF files: libFuzzer's entry, and a main() that hurts the seeds by itself for make check. */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/service/elf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct elf_source source;
	struct elf_facts facts;

	elf_source_memory(&source, data, size);
	if (elf_inspect(&source, &facts) < 0 || memchr(facts.interpreter, '\0', sizeof(facts.interpreter)) == NULL ||
		(facts.complete && !facts.elf))
		abort();
	return 0;
}

#ifndef FUZZING
#define MUTATIONS 20000u

/* On the heap at its very size, so that a sanitizer sees a read beyond it. */
static void try(const char *seed, size_t size, uint64_t *random, unsigned changes)
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

static int hurt(const char *path)
{
	_cleanup_close_ int fd = open_read(path);
	_cleanup_free_ char *seed = NULL;
	uint64_t random = 1;
	size_t size;

	if (fd < 0 || read_all(fd, 1 << 20, &seed, &size) < 0)
		return -1;
	for (size_t cut = 0; cut <= size; cut++)
		try(seed, cut, &random, 0);
	for (unsigned i = 0; i < MUTATIONS; i++)
		try(seed, size, &random, 1 + i % 8);
	return 0;
}

int main(void)
{
	static const char *const seeds[] = {"plain", "static", "loader", "go-note", "go-section", "musl", "other"};
	const size_t count = sizeof(seeds) / sizeof(seeds[0]);
	const char *top = getenv("top_srcdir");

	printf("1..%zu\n", count);
	for (size_t i = 0; i < count; i++) {
		char path[4000];

		snprintf(path, sizeof(path), "%s/tests/fuzz/elf-seeds/%s", top ? top : ".", seeds[i]);
		printf("%sok %zu - %s\n", hurt(path) < 0 ? "not " : "", i + 1, seeds[i]);
	}
	return 0;
}
#endif
