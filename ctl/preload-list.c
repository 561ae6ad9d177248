/* SPDX-License-Identifier: MIT */
/* The text of LD_PRELOAD: elements separated by colons or blanks, as ld.so(8) says. */
#include "config.h"

#include "ctl/preload-list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/paths.h"

#define SEPARATORS ": "

/* The file name in an element of length bytes. */
static const char *element_base(const char *element, size_t length)
{
	const char *slash = memrchr(element, '/', length);

	return slash ? slash + 1 : element;
}

static bool is_ours(const char *element, size_t length)
{
	const char *base = element_base(element, length);

	return length - (size_t)(base - element) == strlen(PATHS_LIBRARY) && starts_with(base, PATHS_LIBRARY);
}

static bool must_be_first(const char *element, size_t length)
{
	const char *base = element_base(element, length);

	return starts_with(base, "libasan.so") || starts_with(base, "libtsan.so") ||
		starts_with(base, "libclang_rt.asan") || starts_with(base, "libclang_rt.tsan");
}

static const char *next_element(const char *list, size_t *length)
{
	list += strspn(list, SEPARATORS);
	*length = strcspn(list, SEPARATORS);
	return *length ? list : NULL;
}

static void append(char **end, const char *element, size_t length, bool first)
{
	if (!first)
		*(*end)++ = ':';
	*end = mempcpy(*end, element, length);
	**end = '\0';
}

int preload_list(const char *list, const char *library, char **out)
{
	char *text;
	char *end;
	size_t length;

	if (library && strpbrk(library, SEPARATORS))
		return -EINVAL;
	list = list ? list : "";
	text = malloc(strlen(list) + (library ? strlen(library) : 0) + 2);
	if (!text)
		return -ENOMEM;
	end = text;
	*end = '\0';
	for (const char *p = next_element(list, &length); p; p = next_element(p + length, &length)) {
		if (must_be_first(p, length))
			append(&end, p, length, end == text);
	}
	if (library)
		append(&end, library, strlen(library), end == text);
	for (const char *p = next_element(list, &length); p; p = next_element(p + length, &length)) {
		if (!is_ours(p, length) && !must_be_first(p, length))
			append(&end, p, length, end == text);
	}
	*out = text;
	return 0;
}

bool preload_list_find(const char *list, const char **out, size_t *length)
{
	for (const char *p = next_element(list, length); p; p = next_element(p + *length, length)) {
		if (is_ours(p, *length)) {
			*out = p;
			return true;
		}
	}
	return false;
}
