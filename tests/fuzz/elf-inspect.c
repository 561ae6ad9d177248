/* SPDX-License-Identifier: MIT */
/* Fuzz target over the look at ELF files: libFuzzer's entry; hurt.c has the main() for make check. */
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
