/* SPDX-License-Identifier: MIT */
/* Walks a loaded library's dynamic section and GNU hash table in another process's memory. */
#include "config.h"

#include "ctl/process/symbol.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <string.h>
#include <sys/uio.h>

#include "ctl/elf-wide.h"

#define MAX_SEGMENTS 64u
#define MAX_DYNAMIC 256u
#define MAX_CHAIN 4096u
#define NAME_BYTES 64u

/* smcctl's own header: the byte order that it can read. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

struct library {
	pid_t pid;
	bool narrow; /* of 32 bits */
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

/* ---- the structures, whatever the word size ---- */

static int read_header(struct library *lib, Elf64_Ehdr *out)
{
	Elf32_Ehdr small;
	int r = memory_read(lib->pid, lib->base, out->e_ident, EI_NIDENT);

	if (r < 0)
		return r;
	lib->narrow = out->e_ident[EI_CLASS] == ELFCLASS32;
	if (!lib->narrow)
		return memory_read(lib->pid, lib->base, out, sizeof(*out));
	r = memory_read(lib->pid, lib->base, &small, sizeof(small));
	if (r == 0)
		elf_widen_header(out, &small);
	return r;
}

static int read_segment(const struct library *lib, uint64_t table, uint64_t index, Elf64_Phdr *out)
{
	Elf32_Phdr small;
	int r;

	if (!lib->narrow)
		return read_at(lib, table, index, out, sizeof(*out));
	r = read_at(lib, table, index, &small, sizeof(small));
	if (r == 0)
		elf_widen_segment(out, &small);
	return r;
}

static int read_entry(const struct library *lib, uint64_t table, uint64_t index, Elf64_Dyn *out)
{
	Elf32_Dyn small;
	int r;

	if (!lib->narrow)
		return read_at(lib, table, index, out, sizeof(*out));
	r = read_at(lib, table, index, &small, sizeof(small));
	if (r == 0)
		elf_widen_dynamic(out, &small);
	return r;
}

static int read_symbol(const struct library *lib, uint64_t index, Elf64_Sym *out)
{
	Elf32_Sym small;
	int r;

	if (!lib->narrow)
		return read_at(lib, lib->symbols, index, out, sizeof(*out));
	r = read_at(lib, lib->symbols, index, &small, sizeof(small));
	if (r == 0)
		elf_widen_symbol(out, &small);
	return r;
}

/* ---- the walk ---- */

static int read_dynamic(struct library *lib, const Elf64_Phdr *segment)
{
	size_t size = lib->narrow ? sizeof(Elf32_Dyn) : sizeof(Elf64_Dyn);

	for (unsigned i = 0; i < MAX_DYNAMIC && i < segment->p_memsz / size; i++) {
		Elf64_Dyn entry = {.d_tag = DT_NULL};
		int r = read_entry(lib, lib->bias + segment->p_vaddr, i, &entry);

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
	Elf64_Phdr dynamic = {.p_type = PT_NULL};
	Elf64_Ehdr header;
	bool first = true;
	int r = read_header(lib, &header);

	if (r < 0)
		return r;
	if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_DATA] != __ehdr_start.e_ident[EI_DATA] ||
		header.e_phentsize != (lib->narrow ? sizeof(Elf32_Phdr) : sizeof(Elf64_Phdr)))
		return -ENOEXEC;
	for (unsigned i = 0; i < header.e_phnum && i < MAX_SEGMENTS; i++) {
		Elf64_Phdr segment = {.p_type = PT_NULL};

		r = read_segment(lib, lib->base + header.e_phoff, i, &segment);
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
	Elf64_Sym symbol = {.st_shndx = SHN_UNDEF};
	int r = read_symbol(lib, index, &symbol);

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
	buckets = lib->hash + sizeof(head) +
		(uint64_t)head.bloom_words * (lib->narrow ? sizeof(Elf32_Addr) : sizeof(Elf64_Addr));
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
