/* SPDX-License-Identifier: MIT */
/* What an executable file is, as far as a preloaded library cares: ELF read with bounds, any bytes may stand in it. */
#ifndef SMCSHIM_CTL_SERVICE_ELF_H
#define SMCSHIM_CTL_SERVICE_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctl/util.h"

#define ELF_INTERPRETER_MAX 256u

/* Where the bytes come from: a file, or memory in tests. */
struct elf_source {
	/* Reads exactly size bytes at offset. Returns 0, -ENODATA beyond the end, or -errno. */
	int (*read)(const struct elf_source *source, uint64_t offset, void *buffer, size_t size);
	const void *memory;
	size_t size;
	int fd;
};

void elf_source_fd(struct elf_source *source, int fd);
void elf_source_memory(struct elf_source *source, const void *memory, size_t size);

struct elf_facts {
	bool elf;       /* begins with the magic number */
	bool complete;  /* the headers could be read; false: truncated or damaged, the rest says what was seen before */
	bool same_kind; /* word size, byte order and machine are those of smcctl */
	bool ia32;      /* smcctl is of x86-64, and this of 32 bits for the same processor */
	int bits;       /* 32, 64, or 0: neither */
	bool go;        /* built by the Go toolchain */
	bool dynamic;   /* has a PT_DYNAMIC segment */
	bool loader;    /* is a dynamic loader itself (its DT_SONAME is ld-*) */
	bool musl;      /* its loader is musl's */
	char interpreter[ELF_INTERPRETER_MAX]; /* PT_INTERP; "": none, so it is linked statically */
};

/* Returns 0 with *out filled, whatever the bytes are, or -errno when they cannot be read. */
_must_check_ int elf_inspect(const struct elf_source *source, struct elf_facts *out);

#endif
