/* SPDX-License-Identifier: MIT */
/* Small helpers of smcctl: numbers from text, bounded reading, safe printing. */
#ifndef SMCSHIM_CTL_UTIL_H
#define SMCSHIM_CTL_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>

#include "policy/cleanup.h"

#define _cleanup_(f) __attribute__((cleanup(f)))
#define _cleanup_fclose_ _cleanup_(cleanup_fclose)
#define _must_check_ __attribute__((warn_unused_result))

void cleanup_fclose(FILE **stream); /* NULL is nothing */

/* All of text is a decimal number in [min, max]. Returns 0, -EINVAL or -ERANGE. */
_must_check_ int text_to_uint(const char *text, uint64_t min, uint64_t max, uint64_t *out);

/*
 * Reads fd to its end. *out gets a buffer of *size bytes and a NUL behind them; more than max bytes are -EFBIG.
 * Returns 0 or -errno; the caller frees *out.
 */
_must_check_ int read_all(int fd, size_t max, char **out, size_t *size);

/* Writes all of it to fd, however often it takes. Returns 0 or -errno; -EIO when nothing is taken without an error. */
_must_check_ int write_bytes(int fd, const void *data, size_t size);
_must_check_ int write_all(int fd, const char *text);

/* CLOCK_MONOTONIC. */
uint64_t monotonic_us(void);
int64_t monotonic_ms(void);

/* open() for reading with O_CLOEXEC and O_NONBLOCK: a FIFO in place of a file does not hang us. */
_must_check_ int open_read(const char *path);

/*
 * The text of a small file of the kernel's (proc, sysfs) below the directory, or AT_FDCWD, without the newline at its end:
 * one read, as the kernel makes it anew for each. Returns 0 or -errno; -EFBIG when it does not fit.
 */
_must_check_ int read_line_at(int directory, const char *path, char *out, size_t size);

/* As much of RLIMIT_NOFILE, or of another resource, as the hard limit gives: a shell's soft one is for users of select(). */
void raise_limit(int resource);

/* The number that is all of such a file. Returns 0 or -errno; -EINVAL or -ERANGE when it is none. */
_must_check_ int read_number(const char *path, uint64_t *out);

/* True if opening failed for want of descriptors or memory, whatever the file is: to pass over it would be to hide that. */
bool is_shortage(int error);

bool starts_with(const char *text, const char *prefix);

/* What stands behind the last slash; never NULL. */
const char *path_base(const char *path);

/* Prints text with each byte that could disturb a terminal or a line (controls, bad UTF-8) as \xNN. */
void text_put(FILE *stream, const char *text);

/* The length of the valid UTF-8 character at text, 1 to 4, or 0 when the byte there is none. */
size_t text_utf8(const char *text);

#endif
