/* SPDX-License-Identifier: MIT */
/* Tests of looking at programs: ELF files made here byte by byte, scripts, and the search of execvp(3). */
#include "config.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "ctl/service/elf.h"
#include "ctl/service/program.h"
#include "ctl/service/script.h"

/* A small ELF file of this machine's kind: room for two segments, their contents, and three sections. */
struct image {
	ElfW(Ehdr) header;
	ElfW(Phdr) segment[3];
	char interpreter[40];
	struct {
		ElfW(Nhdr) head;
		char name[4];
		char description[4];
	} note;
	ElfW(Dyn) dynamic[3];
	char strings[32];
	ElfW(Shdr) section[2];
	char names[40];
};

extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

static struct image base(void)
{
	struct image image = {.header = {.e_type = ET_DYN,
				      .e_phoff = offsetof(struct image, segment),
				      .e_phentsize = sizeof(ElfW(Phdr)),
				      .e_shentsize = sizeof(ElfW(Shdr))}};

	memcpy(image.header.e_ident, __ehdr_start.e_ident, EI_NIDENT);
	image.header.e_machine = __ehdr_start.e_machine;
	return image;
}

static void add_interpreter(struct image *image, const char *text)
{
	snprintf(image->interpreter, sizeof(image->interpreter), "%s", text);
	image->segment[image->header.e_phnum++] = (ElfW(Phdr)){
		.p_type = PT_INTERP, .p_offset = offsetof(struct image, interpreter), .p_filesz = strlen(text) + 1};
}

static void add_note(struct image *image, const char name[static 4], unsigned type)
{
	image->note.head = (ElfW(Nhdr)){.n_namesz = 4, .n_descsz = 4, .n_type = type};
	memcpy(image->note.name, name, 4);
	image->segment[image->header.e_phnum++] = (ElfW(Phdr)){
		.p_type = PT_NOTE, .p_offset = offsetof(struct image, note), .p_filesz = sizeof(image->note)};
}

static void add_soname(struct image *image, const char *name)
{
	image->segment[image->header.e_phnum++] = (ElfW(Phdr)){.p_type = PT_LOAD, .p_filesz = sizeof(*image)};
	image->segment[image->header.e_phnum++] = (ElfW(Phdr)){
		.p_type = PT_DYNAMIC, .p_offset = offsetof(struct image, dynamic), .p_filesz = sizeof(image->dynamic)};
	image->dynamic[0] = (ElfW(Dyn)){.d_tag = DT_SONAME, .d_un.d_val = 1};
	image->dynamic[1] = (ElfW(Dyn)){.d_tag = DT_STRTAB, .d_un.d_ptr = offsetof(struct image, strings)};
	snprintf(image->strings + 1, sizeof(image->strings) - 1, "%s", name);
}

static void add_section(struct image *image, const char *name)
{
	image->header.e_shoff = offsetof(struct image, section);
	image->header.e_shnum = 2;
	image->header.e_shstrndx = 1;
	image->section[0].sh_name = sizeof(image->names) - strlen(name) - 1;
	memcpy(image->names + image->section[0].sh_name, name, strlen(name) + 1);
	image->section[1] = (ElfW(Shdr)){.sh_offset = offsetof(struct image, names), .sh_size = sizeof(image->names)};
}

static struct elf_facts inspect(const void *memory, size_t size)
{
	struct elf_source source;
	struct elf_facts facts;

	elf_source_memory(&source, memory, size);
	assert_int_equal(elf_inspect(&source, &facts), 0);
	return facts;
}

static void plain_programs(void **state)
{
	struct image image = base();
	struct elf_facts facts;

	(void)state;
	add_interpreter(&image, "/lib64/ld-linux-x86-64.so.2");
	facts = inspect(&image, sizeof(image));
	assert_true(facts.elf && facts.complete && facts.same_kind && !facts.go && !facts.musl);
	assert_string_equal(facts.interpreter, "/lib64/ld-linux-x86-64.so.2");
	image = base();
	add_interpreter(&image, "/lib/ld-musl-x86_64.so.1");
	assert_true(inspect(&image, sizeof(image)).musl);
	image = base();
	facts = inspect(&image, sizeof(image));
	assert_true(facts.complete && !facts.interpreter[0] && !facts.dynamic);
}

/* static-pie has a dynamic section and no interpreter; so has the dynamic loader, which is told by its name. */
static void loaders(void **state)
{
	struct image image = base();
	struct elf_facts facts;

	(void)state;
	add_soname(&image, "ld-linux-x86-64.so.2");
	facts = inspect(&image, sizeof(image));
	assert_true(facts.dynamic && facts.loader && facts.complete);
	image = base();
	add_soname(&image, "libthing.so");
	facts = inspect(&image, sizeof(image));
	assert_true(facts.dynamic && !facts.loader);
}

static void go_programs(void **state)
{
	struct image image = base();

	(void)state;
	add_interpreter(&image, "/lib64/ld-linux-x86-64.so.2");
	add_note(&image, "Go\0", 4);
	assert_true(inspect(&image, sizeof(image)).go);
	image = base();
	add_note(&image, "GNU", 4);
	assert_false(inspect(&image, sizeof(image)).go);
	image = base();
	add_note(&image, "Go\0", 3);
	assert_false(inspect(&image, sizeof(image)).go);
	image = base();
	add_section(&image, ".note.go.buildid");
	assert_true(inspect(&image, sizeof(image)).go);
	image = base();
	add_section(&image, ".go.buildinfo");
	assert_true(inspect(&image, sizeof(image)).go);
	image = base();
	add_section(&image, ".gopclntab");
	assert_false(inspect(&image, sizeof(image)).go);
}

static void other_kinds(void **state)
{
	struct image image = base();
	unsigned char *ident = image.header.e_ident;
	struct elf_facts facts;

	(void)state;
	ident[EI_CLASS] = ident[EI_CLASS] == ELFCLASS64 ? ELFCLASS32 : ELFCLASS64;
	facts = inspect(&image, sizeof(image));
	assert_true(facts.elf && facts.complete && !facts.same_kind);
	assert_int_equal(facts.bits, ident[EI_CLASS] == ELFCLASS64 ? 64 : 32);
	image = base();
	image.header.e_machine ^= 1;
	assert_false(inspect(&image, sizeof(image)).same_kind);
	image = base();
	image.header.e_ident[EI_DATA] ^= 3;
	assert_false(inspect(&image, sizeof(image)).same_kind);
}

/* What an x86-64 kernel runs beside its own: read alike. */
static void ia32(void **state)
{
	struct {
		Elf32_Ehdr header;
		Elf32_Phdr segment[2];
		char interpreter[20];
		Elf32_Dyn dynamic[2];
	} image = {.header = {.e_type = ET_DYN,
			   .e_machine = EM_386,
			   .e_phoff = sizeof(Elf32_Ehdr),
			   .e_phentsize = sizeof(Elf32_Phdr),
			   .e_phnum = 2},
		.segment = {{.p_type = PT_INTERP, .p_offset = offsetof(__typeof__(image), interpreter), .p_filesz = 19},
			{.p_type = PT_DYNAMIC,
				.p_offset = offsetof(__typeof__(image), dynamic),
				.p_filesz = sizeof(image.dynamic)}},
		.interpreter = "/lib/ld-linux.so.2"};
	struct elf_source source;
	struct elf_facts facts;

	(void)state;
	if (__ehdr_start.e_machine != EM_X86_64)
		return;
	memcpy(image.header.e_ident, __ehdr_start.e_ident, EI_NIDENT);
	image.header.e_ident[EI_CLASS] = ELFCLASS32;
	elf_source_memory(&source, &image, sizeof(image));
	assert_int_equal(elf_inspect(&source, &facts), 0);
	assert_true(facts.elf && facts.complete && facts.ia32 && !facts.same_kind && facts.dynamic && !facts.go);
	assert_int_equal(facts.bits, 32);
	assert_string_equal(facts.interpreter, "/lib/ld-linux.so.2");
	image.header.e_phnum = 0;
	assert_int_equal(elf_inspect(&source, &facts), 0);
	assert_true(facts.complete && !facts.interpreter[0] && !facts.dynamic);
	image.header.e_phnum = 9;
	for (size_t size = 0; size < sizeof(image); size++) {
		char *copy = test_malloc(size + 1);

		memcpy(copy, &image, size);
		elf_source_memory(&source, copy, size);
		assert_int_equal(elf_inspect(&source, &facts), 0);
		assert_false(facts.complete);
		test_free(copy);
	}
}

/* Every length of a file, and offsets that lead anywhere: an answer, and never a read beyond. */
static void damage(void **state)
{
	struct image image = base();
	char *copy;

	(void)state;
	add_interpreter(&image, "/lib64/ld-linux-x86-64.so.2");
	add_note(&image, "GNU", 4);
	add_section(&image, ".text");
	for (size_t size = 0; size < sizeof(image); size++) {
		/* Allocated at its very size, so that a sanitizer sees each byte too many. */
		copy = malloc(size + 1);
		assert_non_null(copy);
		copy = realloc(copy, size ? size : 1);
		assert_non_null(copy);
		memcpy(copy, &image, size);
		assert_int_equal(inspect(copy, size).elf, size >= EI_NIDENT);
		free(copy);
	}
	for (size_t i = EI_NIDENT; i < sizeof(image); i++) {
		struct image hurt = image;

		memset((char *)&hurt + i, 0xff, sizeof(hurt) - i < 8 ? sizeof(hurt) - i : 8);
		(void)inspect(&hurt, sizeof(hurt));
	}
	assert_false(inspect("#!/bin/sh", 9).elf);
	assert_false(inspect("", 0).elf);
}

static void script_lines(void **state)
{
	static const struct {
		const char *line;
		const char *next;
		enum program_obstacle obstacle;
	} rows[] = {
		{"/bin/sh", "/bin/sh", PROGRAM_FINE},
		{"  /bin/sh -e", "/bin/sh", PROGRAM_FINE},
		{"\t/opt/x\t-a b", "/opt/x", PROGRAM_FINE},
		{"", NULL, PROGRAM_UNKNOWN},
		{"   ", NULL, PROGRAM_UNKNOWN},
		{"/usr/bin/env sh", "/bin/sh", PROGRAM_FINE},
		{"/usr/bin/env -S sh -e", "/bin/sh", PROGRAM_FINE},
		{"/usr/bin/env -Ssh -e", "/bin/sh", PROGRAM_FINE},
		{"/usr/bin/env -S A=b C=d sh", "/bin/sh", PROGRAM_FINE},
		{"/usr/bin/env -S -u HOME -C / sh", "/bin/sh", PROGRAM_FINE},
		{"/usr/bin/env -S -v sh", "/bin/sh", PROGRAM_FINE},
		{"/usr/bin/env -S -i sh", NULL, PROGRAM_ENVIRONMENT},
		{"/usr/bin/env -iS sh", NULL, PROGRAM_ENVIRONMENT},
		{"/usr/bin/env -S - sh", NULL, PROGRAM_ENVIRONMENT},
		{"/usr/bin/env -S --ignore-environment sh", NULL, PROGRAM_ENVIRONMENT},
		{"/usr/bin/env -S -u LD_PRELOAD sh", NULL, PROGRAM_ENVIRONMENT},
		{"/usr/bin/env -S --unset=LD_PRELOAD sh", NULL, PROGRAM_ENVIRONMENT},
		{"/usr/bin/env -S LD_PRELOAD=/x.so sh", NULL, PROGRAM_ENVIRONMENT},
		{"/usr/bin/env -S -u", NULL, PROGRAM_UNKNOWN},
		{"/usr/bin/env", NULL, PROGRAM_UNKNOWN},
		{"/usr/bin/env no-such-program-at-all", NULL, PROGRAM_UNKNOWN},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char line[80];
		char *next = NULL;
		enum program_obstacle obstacle = PROGRAM_FINE;

		snprintf(line, sizeof(line), "%s", rows[i].line);
		assert_int_equal(script_line(line, "/bin", &obstacle, &next), 0);
		assert_int_equal(obstacle, rows[i].obstacle);
		assert_int_equal(next != NULL, rows[i].next != NULL);
		if (next)
			assert_string_equal(next, rows[i].next);
		free(next);
	}
}

static char directory[] = "/tmp/t-ctl-elf-XXXXXX";

static const char *file(const char *name, const void *bytes, size_t size, mode_t mode)
{
	static char full[100];
	int fd;

	snprintf(full, sizeof(full), "%s/%s", directory, name);
	fd = open(full, O_CREAT | O_TRUNC | O_WRONLY, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), size);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
	return full;
}

static enum program_obstacle obstacle_of(const char *name)
{
	const struct program_context context = {.search = getenv("PATH")};
	struct program program;
	enum program_obstacle obstacle;

	assert_int_equal(program_inspect(name, &context, &program), 0);
	assert_non_null(program_obstacle_text(&program));
	obstacle = program.obstacle;
	program_clear(&program);
	return obstacle;
}

static void programs(void **state)
{
	struct image image = base();
	char line[120];

	(void)state;
	assert_int_equal(obstacle_of("/bin/sh"), PROGRAM_FINE);
	assert_int_equal(obstacle_of(file("static", &image, sizeof(image), 0755)), PROGRAM_STATIC);
	snprintf(line, sizeof(line), "#!%s/static\n", directory);
	assert_int_equal(obstacle_of(file("script", line, strlen(line), 0755)), PROGRAM_STATIC);
	snprintf(line, sizeof(line), "#!%s/loop\n", directory);
	assert_int_equal(obstacle_of(file("loop", line, strlen(line), 0755)), PROGRAM_LOOP);
	assert_int_equal(obstacle_of(file("text", "echo x\n", 7, 0755)), PROGRAM_FINE);
	assert_int_equal(obstacle_of(file("empty", "", 0, 0755)), PROGRAM_FINE);
	assert_int_equal(obstacle_of("/no/such/program"), PROGRAM_UNKNOWN);
	assert_int_equal(obstacle_of(file("short", &image, sizeof(image.header) - 1, 0755)), PROGRAM_DAMAGED);
	image.header.e_phnum = 3;
	image.header.e_phoff = UINT64_MAX - 8;
	assert_int_equal(obstacle_of(file("far", &image, sizeof(image), 0755)), PROGRAM_DAMAGED);
	image = base();
	add_interpreter(&image, "/lib64/ld-linux-x86-64.so.2");
	assert_int_equal(obstacle_of(file("plain", &image, sizeof(image), 0755)), PROGRAM_FINE);
	/* Set-user-ID to oneself gains nothing, so the loader does not mind. */
	assert_int_equal(obstacle_of(file("mine", &image, sizeof(image), 04755)), PROGRAM_FINE);
}

static void search(void **state)
{
	char path[300];
	char expected[100];
	char *found;

	(void)state;
	file("tool", "#!/bin/sh\n", 10, 0644);
	snprintf(path, sizeof(path), "/nowhere:%s:/etc/passwd", directory);
	assert_int_equal(program_find("tool", path, &found), -EACCES);
	file("tool", "#!/bin/sh\n", 10, 0755);
	assert_int_equal(program_find("tool", path, &found), 0);
	snprintf(expected, sizeof(expected), "%s/tool", directory);
	assert_string_equal(found, expected);
	free(found);
	assert_int_equal(program_find("no-such-tool", path, &found), -ENOENT);
	assert_int_equal(program_find("", path, &found), -ENOENT);
	assert_int_equal(program_find("/", path, &found), -EACCES);
	assert_int_equal(program_find("/etc/passwd/x", path, &found), -ENOTDIR);
	assert_int_equal(program_find("sh", NULL, &found), 0);
	assert_string_equal(found, "/bin/sh");
	free(found);
	/* An empty element is the working directory. */
	assert_int_equal(chdir(directory), 0);
	assert_int_equal(program_find("tool", "/nowhere:", &found), 0);
	assert_string_equal(found, "tool");
	free(found);
	assert_int_equal(chdir("/"), 0);
}

static int set_up(void **state)
{
	(void)state;
	return mkdtemp(directory) ? 0 : -1;
}

static int tear_down(void **state)
{
	char command[100];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", directory);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_programs),
		cmocka_unit_test(loaders),
		cmocka_unit_test(go_programs),
		cmocka_unit_test(other_kinds),
		cmocka_unit_test(ia32),
		cmocka_unit_test(damage),
		cmocka_unit_test(script_lines),
		cmocka_unit_test(programs),
		cmocka_unit_test(search),
	};

	return cmocka_run_group_tests_name("ctl-elf", tests, set_up, tear_down);
}
