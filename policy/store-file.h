/* SPDX-License-Identifier: MIT */
/* The table as a file: finding out that it is one, and making one. */
#ifndef SMCSHIM_POLICY_STORE_FILE_H
#define SMCSHIM_POLICY_STORE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Opens and checks an existing table. Returns a descriptor that the caller closes, or -errno as policy_store_open(). */
int policy_store_file_open(const char *path, bool writable) __attribute__((warn_unused_result));

/* Makes an empty table at path; one that has been made meanwhile is as good. Returns 0 or -errno. */
int policy_store_file_create(const char *path) __attribute__((warn_unused_result));

/* Writes all size bytes at offset. Returns 0 or -errno. */
int policy_store_file_write(int fd, const void *data, size_t size, uint64_t offset) __attribute__((warn_unused_result));

#endif
