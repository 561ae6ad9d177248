/* SPDX-License-Identifier: MIT */
/* The parameters of a request and their canonical text. */
#include "config.h"

#include "ctl/cloud/params.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/cloud/secret.h"

void cloud_params_clear(struct cloud_params *params)
{
	for (size_t i = 0; i < params->count; i++) {
		free(params->items[i].key);
		/* An OIDC token travels as a parameter. */
		secret_free(params->items[i].value);
	}
	free(params->items);
	*params = (struct cloud_params){.items = NULL};
}

void cloud_params_add(struct cloud_params *params, const char *key, const char *value)
{
	struct cloud_param *items;
	struct cloud_param item;

	if (!value)
		return;
	items = realloc(params->items, (params->count + 1) * sizeof(*items));
	if (!items) {
		params->no_memory = true;
		return;
	}
	params->items = items;
	item = (struct cloud_param){strdup(key), strdup(value)};
	if (!item.key || !item.value) {
		free(item.key);
		free(item.value);
		params->no_memory = true;
		return;
	}
	items[params->count++] = item;
}

void cloud_params_addf(struct cloud_params *params, const char *key, const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&text, format, ap) < 0) {
		text = NULL;
		params->no_memory = true;
	}
	va_end(ap);
	cloud_params_add(params, key, text);
}

void cloud_params_tag(struct cloud_params *params, unsigned n, const char *key, const char *value)
{
	char name[32];

	snprintf(name, sizeof(name), "Tag.%u.Key", n);
	cloud_params_add(params, name, key);
	snprintf(name, sizeof(name), "Tag.%u.Value", n);
	cloud_params_add(params, name, value);
}

static void put_encoded(FILE *stream, const char *text)
{
	static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";

	for (; *text; text++) {
		if (strchr(unreserved, *text))
			fputc(*text, stream);
		else
			fprintf(stream, "%%%02X", (unsigned char)*text);
	}
}

static int compare(const void *a, const void *b)
{
	const struct cloud_param *x = a, *y = b;

	return strcmp(x->key, y->key);
}

int cloud_params_query(const struct cloud_params *params, char **out)
{
	/* Copies of the pairs; the strings stay whose they are. */
	_cleanup_free_ struct cloud_param *sorted = calloc(params->count + 1, sizeof(*sorted));
	char *text = NULL;
	size_t size;
	FILE *stream;

	if (!sorted || params->no_memory)
		return -ENOMEM;
	stream = open_memstream(&text, &size);
	if (!stream)
		return -ENOMEM;
	if (params->count)
		memcpy(sorted, params->items, params->count * sizeof(*sorted));
	qsort(sorted, params->count, sizeof(*sorted), compare);
	for (size_t i = 0; i < params->count; i++) {
		if (i)
			fputc('&', stream);
		put_encoded(stream, sorted[i].key);
		fputc('=', stream);
		put_encoded(stream, sorted[i].value);
	}
	if (fclose(stream) != 0) {
		secret_free(text);
		return -ENOMEM;
	}
	*out = text;
	return 0;
}

static int hex(char c)
{
	const char *digits = "0123456789ABCDEF";
	const char *digit = c ? strchr(digits, c) : NULL;

	return digit ? (int)(digit - digits) : -1;
}

/* Decodes length bytes in place of a copy; NULL: not encoded as we do, or no memory. */
static char *decoded(const char *text, size_t length)
{
	_cleanup_free_ char *out = malloc(length + 1);
	size_t used = 0;

	for (size_t i = 0; out && i < length; i++) {
		int value = (unsigned char)text[i];

		if (text[i] == '%') {
			if (i + 2 >= length || hex(text[i + 1]) < 0 || hex(text[i + 2]) < 0)
				return NULL;
			value = hex(text[i + 1]) * 16 + hex(text[i + 2]);
			i += 2;
		}
		if (!value)
			return NULL;
		out[used++] = (char)value;
	}
	if (out)
		out[used] = '\0';
	return take(out);
}

int cloud_params_parse(const char *query, struct cloud_params *out)
{
	_cleanup_cloud_params_ struct cloud_params params = {.items = NULL};

	while (*query) {
		size_t length = strcspn(query, "&");
		const char *equals = memchr(query, '=', length);
		_cleanup_free_ char *key = equals ? decoded(query, (size_t)(equals - query)) : NULL;
		_cleanup_free_ char *value = equals ? decoded(equals + 1, length - (size_t)(equals + 1 - query)) : NULL;

		if (!key || !*key || !value)
			return -EINVAL;
		cloud_params_add(&params, key, value);
		query += length;
		query += *query == '&';
	}
	if (params.no_memory)
		return -ENOMEM;
	*out = params;
	/* NOLINTNEXTLINE(clang-analyzer-deadcode.DeadStores): the cleanup attribute reads it */
	params = (struct cloud_params){.items = NULL};
	return 0;
}
