/* SPDX-License-Identifier: MIT */
/* What of a process's mappings concerns us: the library and the policy table. */
#ifndef SMCSHIM_CTL_PROCESS_MAPS_H
#define SMCSHIM_CTL_PROCESS_MAPS_H

#include <stdint.h>
#include <stdio.h>

#include "ctl/util.h"

/* A process has one copy, or two with dlmopen(3); more are somebody's joke. */
#define MAPS_LIBRARIES 8u
#define MAPS_PATH 1024u

struct maps {
	struct {
		uint64_t base;   /* address of the file's first byte */
		bool supervisor; /* not the library, but the program that does its work from outside */
		char path[MAPS_PATH];
	} library[MAPS_LIBRARIES];
	size_t libraries;
	uint64_t table; /* address of the policy table's header; 0: not mapped */
	size_t lines;   /* 0: the process has no memory: a zombie, or part of the kernel */
};

/* Reads the text of /proc/PID/maps. Returns 0 or -errno. */
_must_check_ int maps_read(FILE *stream, struct maps *out);

#endif
