/* SPDX-License-Identifier: MIT */
/* Children for the tests of smcctl status: each prepares itself, says that it is ready and waits. */
#ifndef SMCSHIM_TESTS_UNIT_T_CTL_CHILD_H
#define SMCSHIM_TESTS_UNIT_T_CTL_CHILD_H

#include <sys/types.h>

typedef void child_function(const char *path);

/* The library of tests/ctl/fake; the caller frees it. */
char *child_library(void);

/* A child that runs set_up(path), says that it is ready, and waits to be killed. */
pid_t child_start(child_function *set_up, const char *path);
void child_stop(pid_t child);

/* Loads the library in the child and counts three accepted connections. */
void child_load(const char *path);

#endif
