/* SPDX-License-Identifier: MIT */
/* The text of LD_PRELOAD. */
#ifndef SMCSHIM_CTL_PRELOAD_LIST_H
#define SMCSHIM_CTL_PRELOAD_LIST_H

#include "ctl/util.h"

/*
 * list (or NULL) with library in front: no empty element, no second copy of the library under whatever path. Only a
 * sanitizer's runtime stays before it, since it ends the program otherwise. The caller frees *out.
 * library NULL: list without it, which may leave nothing.
 * Returns 0, -EINVAL (library has a character that LD_PRELOAD takes for a separator) or -ENOMEM.
 */
_must_check_ int preload_list(const char *list, const char *library, char **out);

/* The first element of list whose file name is that of our library, as length bytes at *out; false: none. */
bool preload_list_find(const char *list, const char **out, size_t *length);

#endif
