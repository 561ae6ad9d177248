/* SPDX-License-Identifier: MIT */
/* Words as systemd's shell_maybe_quote() writes them and its extract_first_word() reads them. */
#include "config.h"

#include "ctl/service/words.h"

#include <errno.h>
#include <string.h>

#define BLANKS " \t\n\r"

/* What a backslash and c stand for. */
static char escaped(char c)
{
	static const char letters[] = "abfnrtv";
	static const char values[] = "\a\b\f\n\r\t\v";
	const char *place = c ? strchr(letters, c) : NULL;

	return place ? values[place - letters] : c;
}

int words_next(const char **text, char **word)
{
	const char *p = *text + strspn(*text, BLANKS);
	char quote = '\0';
	char *copy;
	size_t used = 0;

	if (!*p) {
		*text = p;
		return 0;
	}
	copy = malloc(strlen(p) + 1);
	if (!copy)
		return -ENOMEM;
	for (; *p && (quote || !strchr(BLANKS, *p)); p++) {
		if (!quote && p[0] == '$' && p[1] == '\'') {
			quote = '$';
			p++;
		} else if (!quote && (*p == '"' || *p == '\'')) {
			quote = *p;
		} else if (*p == (quote == '$' ? '\'' : quote)) {
			quote = '\0';
		} else if (*p == '\\' && quote != '\'' && p[1]) {
			copy[used++] = escaped(*++p);
		} else {
			copy[used++] = *p;
		}
	}
	copy[used] = '\0';
	*text = p;
	*word = copy;
	return 1;
}

bool words_have(const char *text, const char *word)
{
	bool found = false;
	char *next;

	while (text && !found && words_next(&text, &next) > 0) {
		found = strcmp(next, word) == 0;
		free(next);
	}
	return found;
}

int words_assigned(const char *text, const char *name, char **value)
{
	_cleanup_free_ char *found = NULL;
	size_t length = strlen(name);
	char *word;
	int r = 0;

	while (text && (r = words_next(&text, &word)) > 0) {
		if (starts_with(word, name) && word[length] == '=') {
			free(found);
			found = strdup(word + length + 1);
			r = found ? 0 : -ENOMEM;
		}
		free(word);
		if (r < 0)
			return r;
	}
	if (r < 0)
		return r;
	*value = take(found);
	return 0;
}

void words_put_assignment(FILE *stream, const char *name, const char *value)
{
	bool quote = strpbrk(value, " \t\"'\\%") != NULL;

	fprintf(stream, "%s%s=", quote ? "\"" : "", name);
	for (const char *p = value; *p; p++) {
		if (*p == '"' || *p == '\\')
			fputc('\\', stream);
		if (*p == '%')
			fputc('%', stream);
		fputc(*p, stream);
	}
	fprintf(stream, "%s\n", quote ? "\"" : "");
}

void words_put_argument(FILE *stream, const char *word)
{
	fputc('"', stream);
	for (const char *p = word; *p; p++) {
		if (*p == '"' || *p == '\\')
			fputc('\\', stream);
		if (*p == '%' || *p == '$')
			fputc(*p, stream);
		fputc(*p, stream);
	}
	fputs("\"\n", stream);
}
