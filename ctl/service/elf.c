/* SPDX-License-Identifier: MIT */
/* Reads the headers of an ELF file that a library of ours is for: segments, the Go note, the loader's name. */
#include "config.h"

#include "ctl/service/elf.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <string.h>
#include <unistd.h>

#include "ctl/elf-wide.h"

#define MAX_SEGMENTS 256u
#define MAX_SECTIONS 4096u
#define MAX_DYNAMIC 1024u
#define MAX_NOTES 64u

/* smcctl's own header, from the linker: word size, byte order and machine without a list of architectures. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

static int read_fd(const struct elf_source *source, uint64_t offset, void *buffer, size_t size)
{
	char *to = buffer;

	while (size) {
		ssize_t n;

		if (offset > INT64_MAX - size)
			return -ENODATA;
		n = pread(source->fd, to, size, (off_t)offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -ENODATA;
		to += n;
		offset += (size_t)n;
		size -= (size_t)n;
	}
	return 0;
}

static int read_memory(const struct elf_source *source, uint64_t offset, void *buffer, size_t size)
{
	if (offset > source->size || size > source->size - offset)
		return -ENODATA;
	memcpy(buffer, (const char *)source->memory + offset, size);
	return 0;
}

void elf_source_fd(struct elf_source *source, int fd)
{
	*source = (struct elf_source){.read = read_fd, .fd = fd};
}

void elf_source_memory(struct elf_source *source, const void *memory, size_t size)
{
	*source = (struct elf_source){.read = read_memory, .memory = memory, .size = size, .fd = -1};
}

/* Item number index of a table in the file; -ENODATA too when the place is beyond any file. */
static int read_item(
	const struct elf_source *source, uint64_t table, uint64_t index, size_t stride, void *buffer, size_t size)
{
	uint64_t offset;

	if (stride < size || __builtin_mul_overflow(index, stride, &offset) ||
		__builtin_add_overflow(offset, table, &offset))
		return -ENODATA;
	return source->read(source, offset, buffer, size);
}

/* ---- the structures, whatever the word size ---- */

static bool is_narrow(const Elf64_Ehdr *header)
{
	return header->e_ident[EI_CLASS] == ELFCLASS32;
}

static int read_header(const struct elf_source *source, bool narrow, Elf64_Ehdr *out)
{
	Elf32_Ehdr small;
	int r;

	if (!narrow)
		return source->read(source, 0, out, sizeof(*out));
	r = source->read(source, 0, &small, sizeof(small));
	if (r == 0)
		elf_widen_header(out, &small);
	return r;
}

static int read_segment(const struct elf_source *source, const Elf64_Ehdr *header, uint64_t index, Elf64_Phdr *out)
{
	Elf32_Phdr small;
	int r;

	if (!is_narrow(header))
		return read_item(source, header->e_phoff, index, header->e_phentsize, out, sizeof(*out));
	r = read_item(source, header->e_phoff, index, header->e_phentsize, &small, sizeof(small));
	if (r == 0)
		elf_widen_segment(out, &small);
	return r;
}

static int read_section(const struct elf_source *source, const Elf64_Ehdr *header, uint64_t index, Elf64_Shdr *out)
{
	Elf32_Shdr small;
	int r;

	if (!is_narrow(header))
		return read_item(source, header->e_shoff, index, header->e_shentsize, out, sizeof(*out));
	r = read_item(source, header->e_shoff, index, header->e_shentsize, &small, sizeof(small));
	if (r == 0)
		elf_widen_section(out, &small);
	return r;
}

static size_t dynamic_size(const Elf64_Ehdr *header)
{
	return is_narrow(header) ? sizeof(Elf32_Dyn) : sizeof(Elf64_Dyn);
}

static int read_dynamic(
	const struct elf_source *source, const Elf64_Ehdr *header, uint64_t table, uint64_t index, Elf64_Dyn *out)
{
	Elf32_Dyn small;
	int r;

	if (!is_narrow(header))
		return read_item(source, table, index, sizeof(*out), out, sizeof(*out));
	r = read_item(source, table, index, sizeof(small), &small, sizeof(small));
	if (r == 0)
		elf_widen_dynamic(out, &small);
	return r;
}

static int inspect_interpreter(const struct elf_source *source, const Elf64_Phdr *segment, struct elf_facts *out)
{
	size_t size = segment->p_filesz;
	int r;

	if (size == 0 || size > sizeof(out->interpreter))
		return -ENODATA;
	r = source->read(source, segment->p_offset, out->interpreter, size);
	if (r < 0) {
		out->interpreter[0] = '\0';
		return r;
	}
	out->interpreter[size - 1] = '\0';
	out->musl = starts_with(path_base(out->interpreter), "ld-musl");
	return 0;
}

/* Go writes a note named "Go" of type 4, its build ID; the internal and the external linker both do. */
static int inspect_notes(const struct elf_source *source, const Elf64_Phdr *segment, struct elf_facts *out)
{
	uint64_t offset = segment->p_offset;
	uint64_t left = segment->p_filesz;

	for (unsigned i = 0; i < MAX_NOTES && left >= sizeof(Elf64_Nhdr); i++) {
		Elf64_Nhdr note;
		char name[4];
		uint64_t size;
		int r = source->read(source, offset, &note, sizeof(note));

		if (r < 0)
			return r;
		if (note.n_namesz == sizeof(name) && note.n_type == 4 && left >= sizeof(note) + sizeof(name)) {
			r = source->read(source, offset + sizeof(note), name, sizeof(name));
			if (r < 0)
				return r;
			out->go = out->go || memcmp(name, "Go\0", sizeof(name)) == 0;
		}
		size = sizeof(note) + (((uint64_t)note.n_namesz + 3) & ~UINT64_C(3)) +
			(((uint64_t)note.n_descsz + 3) & ~UINT64_C(3));
		if (size > left)
			return 0;
		offset += size;
		left -= size;
	}
	return 0;
}

/* Where an address of the loaded program stands in the file. */
static int file_offset(const struct elf_source *source, const Elf64_Ehdr *header, uint64_t address, uint64_t *offset)
{
	for (unsigned i = 0; i < header->e_phnum && i < MAX_SEGMENTS; i++) {
		Elf64_Phdr segment = {.p_type = PT_NULL};
		int r = read_segment(source, header, i, &segment);

		if (r < 0)
			return r;
		if (segment.p_type == PT_LOAD && address >= segment.p_vaddr &&
			address - segment.p_vaddr < segment.p_filesz)
			return __builtin_add_overflow(address - segment.p_vaddr, segment.p_offset, offset) ? -ENODATA
													   : 0;
	}
	return -ENODATA;
}

/* The dynamic loader, run as a program, has no PT_INTERP and is not static: its name tells it. */
static int inspect_dynamic(
	const struct elf_source *source, const Elf64_Ehdr *header, const Elf64_Phdr *segment, struct elf_facts *out)
{
	uint64_t strings = 0;
	uint64_t soname = UINT64_MAX;
	uint64_t offset = 0;
	char name[4] = "";
	int r;

	out->dynamic = true;
	for (unsigned i = 0; i < MAX_DYNAMIC && i < segment->p_filesz / dynamic_size(header); i++) {
		Elf64_Dyn entry = {.d_tag = DT_NULL};

		r = read_dynamic(source, header, segment->p_offset, i, &entry);
		if (r < 0)
			return r;
		if (entry.d_tag == DT_NULL)
			break;
		if (entry.d_tag == DT_STRTAB)
			strings = entry.d_un.d_ptr;
		if (entry.d_tag == DT_SONAME)
			soname = entry.d_un.d_val;
	}
	if (soname == UINT64_MAX || file_offset(source, header, strings, &offset) < 0 ||
		__builtin_add_overflow(offset, soname, &offset) || source->read(source, offset, name, 3) < 0)
		return 0;
	out->loader = strcmp(name, "ld-") == 0;
	return 0;
}

static int inspect_segments(const struct elf_source *source, const Elf64_Ehdr *header, struct elf_facts *out)
{
	for (unsigned i = 0; i < header->e_phnum && i < MAX_SEGMENTS; i++) {
		Elf64_Phdr segment = {.p_type = PT_NULL};
		int r = read_segment(source, header, i, &segment);

		if (r < 0)
			return r;
		if (segment.p_type == PT_INTERP)
			r = inspect_interpreter(source, &segment, out);
		else if (segment.p_type == PT_NOTE)
			r = inspect_notes(source, &segment, out);
		else if (segment.p_type == PT_DYNAMIC)
			r = inspect_dynamic(source, header, &segment, out);
		if (r < 0)
			return r;
	}
	return 0;
}

/* A Go program whose note is missing still names its sections, unless it is stripped of them. */
static int inspect_sections(const struct elf_source *source, const Elf64_Ehdr *header, struct elf_facts *out)
{
	Elf64_Shdr names = {.sh_size = 0};
	int r;

	if (header->e_shnum == 0 || header->e_shstrndx >= header->e_shnum)
		return 0;
	r = read_section(source, header, header->e_shstrndx, &names);
	if (r < 0)
		return r;
	for (unsigned i = 0; i < header->e_shnum && i < MAX_SECTIONS && !out->go; i++) {
		Elf64_Shdr section = {.sh_name = 0};
		char name[sizeof(".note.go.buildid")] = "";
		uint64_t offset;

		r = read_section(source, header, i, &section);
		if (r < 0)
			return r;
		if (section.sh_name >= names.sh_size ||
			__builtin_add_overflow(names.sh_offset, section.sh_name, &offset))
			continue;
		/* The last names may stand closer to the end of the file than the longest that is looked for. */
		if (source->read(source, offset, name, sizeof(".note.go.buildid")) < 0)
			(void)source->read(source, offset, name, sizeof(".go.buildinfo"));
		out->go = memcmp(name, ".note.go.buildid", sizeof(".note.go.buildid")) == 0 ||
			memcmp(name, ".go.buildinfo", sizeof(".go.buildinfo")) == 0;
	}
	return 0;
}

/* What an x86-64 kernel runs, too. */
static bool is_ia32_here(const Elf64_Ehdr *header)
{
	return __ehdr_start.e_machine == EM_X86_64 && is_narrow(header) && header->e_machine == EM_386 &&
		header->e_ident[EI_DATA] == ELFDATA2LSB;
}

int elf_inspect(const struct elf_source *source, struct elf_facts *out)
{
	Elf64_Ehdr header;
	int r;

	*out = (struct elf_facts){.elf = false};
	r = source->read(source, 0, header.e_ident, EI_NIDENT);
	if (r == -ENODATA)
		return 0;
	if (r < 0)
		return r;
	if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
		return 0;
	out->elf = true;
	out->bits = header.e_ident[EI_CLASS] == ELFCLASS64 ? 64 : header.e_ident[EI_CLASS] == ELFCLASS32 ? 32 : 0;
	/* Up to e_machine the header is the same in both word sizes. */
	r = source->read(source, 0, &header, offsetof(Elf64_Ehdr, e_version));
	if (r < 0)
		return r == -ENODATA ? 0 : r;
	out->same_kind = header.e_ident[EI_CLASS] == __ehdr_start.e_ident[EI_CLASS] &&
		header.e_ident[EI_DATA] == __ehdr_start.e_ident[EI_DATA] && header.e_machine == __ehdr_start.e_machine;
	out->ia32 = is_ia32_here(&header);
	if (!out->same_kind && !out->ia32) {
		out->complete = true;
		return 0;
	}
	r = read_header(source, is_narrow(&header), &header);
	if (r < 0)
		return r == -ENODATA ? 0 : r;
	r = inspect_segments(source, &header, out);
	if (r == 0)
		r = inspect_sections(source, &header, out);
	out->complete = r == 0;
	return r == -ENODATA ? 0 : r;
}
