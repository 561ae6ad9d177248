/* SPDX-License-Identifier: MIT */
/* Walks a loaded library's dynamic section and GNU hash table in another process's memory. */
#include "config.h"

#include "ctl/process/symbol.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <string.h>
#include <sys/uio.h>

#define MAX_SEGMENTS 64u
#define MAX_DYNAMIC 256u
#define MAX_CHAIN 4096u
#define NAME_BYTES 64u

/* smcctl's own header: the kind of library it can read. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

struct library {
	pid_t pid;
	uint64_t base;
	uint64_t bias; /* what is added to an address of the file */
	uint64_t symbols;
	uint64_t strings;
	uint64_t hash;
};

int memory_read(pid_t pid, uint64_t address, void *buffer, size_t size)
{
	struct iovec local = {.iov_base = buffer, .iov_len = size};
	struct iovec remote = {.iov_base = (void *)(uintptr_t)address, .iov_len = size};
	ssize_t n = process_vm_readv(pid, &local, 1, &remote, 1, 0);

	if (n < 0)
		return -errno;
	return (size_t)n == size ? 0 : -EFAULT;
}

static int read_at(const struct library *lib, uint64_t address, uint64_t index, void *buffer, size_t size)
{
	uint64_t place;

	if (__builtin_mul_overflow(index, size, &place) || __builtin_add_overflow(place, address, &place))
		return -EFAULT;
	return memory_read(lib->pid, place, buffer, size);
}

/* glibc has added the bias to the addresses in the dynamic section, musl has not. */
static uint64_t loaded(const struct library *lib, uint64_t address)
{
	return address >= lib->base ? address : lib->bias + address;
}

static int read_dynamic(struct library *lib, const ElfW(Phdr) * segment)
{
	for (unsigned i = 0; i < MAX_DYNAMIC && i < segment->p_memsz / sizeof(ElfW(Dyn)); i++) {
		ElfW(Dyn) entry;
		int r = read_at(lib, lib->bias + segment->p_vaddr, i, &entry, sizeof(entry));

		if (r < 0)
			return r;
		if (entry.d_tag == DT_NULL)
			break;
		if (entry.d_tag == DT_SYMTAB)
			lib->symbols = loaded(lib, entry.d_un.d_ptr);
		if (entry.d_tag == DT_STRTAB)
			lib->strings = loaded(lib, entry.d_un.d_ptr);
		if (entry.d_tag == DT_GNU_HASH)
			lib->hash = loaded(lib, entry.d_un.d_ptr);
	}
	return lib->symbols && lib->strings && lib->hash ? 0 : -ENOEXEC;
}

static int read_headers(struct library *lib)
{
	ElfW(Ehdr) header;
	ElfW(Phdr) dynamic = {.p_type = PT_NULL};
	bool first = true;
	int r = memory_read(lib->pid, lib->base, &header, sizeof(header));

	if (r < 0)
		return r;
	if (memcmp(header.e_ident, __ehdr_start.e_ident, EI_DATA + 1) != 0 ||
		header.e_machine != __ehdr_start.e_machine || header.e_phentsize != sizeof(ElfW(Phdr)))
		return -ENOEXEC;
	for (unsigned i = 0; i < header.e_phnum && i < MAX_SEGMENTS; i++) {
		ElfW(Phdr) segment;

		r = read_at(lib, lib->base + header.e_phoff, i, &segment, sizeof(segment));
		if (r < 0)
			return r;
		if (segment.p_type == PT_LOAD && first) {
			lib->bias = lib->base - (segment.p_vaddr - segment.p_offset);
			first = false;
		}
		if (segment.p_type == PT_DYNAMIC)
			dynamic = segment;
	}
	return dynamic.p_type == PT_DYNAMIC && !first ? read_dynamic(lib, &dynamic) : -ENOEXEC;
}

static uint32_t gnu_hash(const char *name)
{
	uint32_t hash = 5381;

	for (; *name; name++)
		hash = hash * 33 + (unsigned char)*name;
	return hash;
}

/* 1: symbol number index is the one, its address in *out; 0: it is not; or -errno. */
static int is_symbol(const struct library *lib, uint32_t index, const char *name, uint64_t *out)
{
	char found[NAME_BYTES];
	size_t size = strlen(name) + 1;
	ElfW(Sym) symbol;
	int r = read_at(lib, lib->symbols, index, &symbol, sizeof(symbol));

	if (r < 0)
		return r;
	if (symbol.st_shndx == SHN_UNDEF || size > sizeof(found))
		return 0;
	r = memory_read(lib->pid, lib->strings + symbol.st_name, found, size);
	if (r < 0)
		return r;
	if (memcmp(found, name, size) != 0)
		return 0;
	*out = lib->bias + symbol.st_value;
	return 1;
}

static int look_up(const struct library *lib, const char *name, uint64_t *out)
{
	struct {
		uint32_t buckets;
		uint32_t first;
		uint32_t bloom_words;
		uint32_t bloom_shift;
	} head;
	uint32_t hash = gnu_hash(name);
	uint64_t buckets;
	uint64_t chain;
	uint32_t index;
	int r = memory_read(lib->pid, lib->hash, &head, sizeof(head));

	if (r < 0)
		return r;
	if (head.buckets == 0)
		return -ENOENT;
	buckets = lib->hash + sizeof(head) + (uint64_t)head.bloom_words * sizeof(ElfW(Addr));
	chain = buckets + (uint64_t)head.buckets * sizeof(uint32_t);
	r = read_at(lib, buckets, hash % head.buckets, &index, sizeof(index));
	if (r < 0)
		return r;
	if (index < head.first)
		return -ENOENT;
	for (unsigned i = 0; i < MAX_CHAIN; i++, index++) {
		uint32_t entry;

		r = read_at(lib, chain, index - head.first, &entry, sizeof(entry));
		if (r < 0)
			return r;
		if ((entry | 1) == (hash | 1)) {
			r = is_symbol(lib, index, name, out);
			if (r != 0)
				return r < 0 ? r : 0;
		}
		if (entry & 1)
			break;
	}
	return -ENOENT;
}

int symbol_find(pid_t pid, uint64_t base, const char *name, uint64_t *out)
{
	struct library lib = {.pid = pid, .base = base};
	int r = read_headers(&lib);

	return r < 0 ? r : look_up(&lib, name, out);
}
