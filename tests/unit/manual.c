/* SPDX-License-Identifier: MIT */
/* Reads the manual for tests. */
#include "config.h"

#include "tests/unit/manual.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

const char *manual_read(const char *page)
{
	static char text[1 << 17];
	const char *top = getenv("top_srcdir");
	char path[1500];
	size_t length = 0;
	FILE *stream;
	int c;

	snprintf(path, sizeof(path), "%s/doc/%s", top ? top : ".", page);
	stream = fopen(path, "r");
	assert_non_null(stream);
	while ((c = getc(stream)) != EOF && length < sizeof(text) - 1)
		if (!isspace(c) || (length && text[length - 1] != ' '))
			text[length++] = isspace(c) ? ' ' : (char)c;
	fclose(stream);
	text[length] = '\0';
	return text;
}
