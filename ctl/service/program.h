/* SPDX-License-Identifier: MIT */
/* Whether a preloaded library gets into a program, told before it runs: finds it as execvp(3) does, follows scripts. */
#ifndef SMCSHIM_CTL_SERVICE_PROGRAM_H
#define SMCSHIM_CTL_SERVICE_PROGRAM_H

#include <stdbool.h>

#include "ctl/service/privilege.h"
#include "ctl/util.h"

/* Why the library will not be in the program, or will see nothing there. */
enum program_obstacle {
	PROGRAM_FINE = 0,
	PROGRAM_UNKNOWN,      /* it cannot be read, so nothing is known */
	PROGRAM_DAMAGED,      /* an ELF file with impossible headers */
	PROGRAM_STATIC,       /* no dynamic loader */
	PROGRAM_GO,           /* makes its system calls itself */
	PROGRAM_SET_ID,       /* set-user-ID or set-group-ID: the loader ignores LD_PRELOAD */
	PROGRAM_CAPABILITIES, /* file capabilities: the same */
	PROGRAM_OTHER_KIND,   /* other word size or machine than the library */
	PROGRAM_ENVIRONMENT,  /* a script whose first line empties the environment */
	PROGRAM_LOOP,         /* scripts that name scripts without end */
};

struct program {
	enum program_obstacle obstacle;
	char *path;   /* the file that was asked about */
	char *binary; /* the file that will run in the end: the interpreter of a script, else path again */
	int bits;     /* of binary, with PROGRAM_OTHER_KIND: 32, 64 or 0 */
	bool musl;    /* its C library is musl: no obstacle, the library needs no symbol that musl lacks */
	bool gains;   /* privilege by its file, which no_new_privs takes from it: with PROGRAM_STATIC and PROGRAM_GO */
	bool ia32;    /* it needs the library for 32-bit programs */
};

/* Where to look for "env NAME" scripts and whether set-ID bits count for the user who will run it. */
struct program_context {
	const char *search;       /* $PATH, or NULL: the system's default */
	enum privilege_user user; /* who will start it */
	bool ia32;                /* there is a library for 32-bit programs, too */
};

/*
 * The file that execvp(name) would run, in *out for the caller to free. search is $PATH or NULL.
 * Returns 0 or what execvp would fail with: -ENOENT, -EACCES, ...
 */
_must_check_ int program_find(const char *name, const char *search, char **out);

/* Looks at the file at path. Returns 0 with *out filled, or -ENOMEM; the caller ends *out with program_clear(). */
_must_check_ int program_inspect(const char *path, const struct program_context *context, struct program *out);

void program_clear(struct program *program);

/* The sentence about program->obstacle, behind "'BINARY' "; static text. */
const char *program_obstacle_text(const struct program *program);

/* It keeps the library out, but not the kernel: smcctl run can supervise its socket calls (ctl/supervise/). */
bool program_for_supervisor(const struct program *program);

#define _cleanup_program_ _cleanup_(program_clear)

#endif
