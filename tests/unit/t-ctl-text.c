/* SPDX-License-Identifier: MIT */
/* Tests of smcctl's texts: numbers, addresses, LD_PRELOAD, safe printing, the two output formats. */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/address.h"
#include "ctl/output.h"
#include "ctl/preload-list.h"
#include "ctl/util.h"

static void numbers(void **state)
{
	static const struct {
		const char *text;
		int result;
		uint64_t value;
	} rows[] = {
		{"0", 0, 0},
		{"7", 0, 7},
		{"100", 0, 100},
		{"101", -ERANGE, 0},
		{"", -EINVAL, 0},
		{"+1", -EINVAL, 0},
		{"-1", -EINVAL, 0},
		{" 1", -EINVAL, 0},
		{"1 ", -EINVAL, 0},
		{"0x1", -EINVAL, 0},
		{"18446744073709551616", -ERANGE, 0},
		{"99999999999999999999999", -ERANGE, 0},
	};
	uint64_t value;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		value = 0;
		assert_int_equal(text_to_uint(rows[i].text, 0, 100, &value), rows[i].result);
		assert_int_equal(value, rows[i].value);
	}
	assert_int_equal(text_to_uint("18446744073709551615", 0, UINT64_MAX, &value), 0);
	assert_true(value == UINT64_MAX);
}

static void addresses(void **state)
{
	static const struct {
		const char *text;
		const char *host; /* NULL: refused */
		int port;         /* 0: none */
	} rows[] = {
		{"10.0.3.7:3306", "10.0.3.7", 3306},
		{"10.0.3.7", "10.0.3.7", 0},
		{"[fd00:7::1]:6379", "fd00:7::1", 6379},
		{"[fd00:7::1]", "fd00:7::1", 0},
		{"fd00:7::1", "fd00:7::1", 0},
		{"::", "::", 0},
		{"0.0.0.0:1", "0.0.0.0", 1},
		{"::ffff:10.1.2.3", "::ffff:10.1.2.3", 0},
		{"fe80::1%eth0", "fe80::1", 0},
		{"10.0.0.1:65535", "10.0.0.1", 65535},
		{"10.0.0.1:0", NULL, 0},
		{"10.0.0.1:65536", NULL, 0},
		{"10.0.0.1:", NULL, 0},
		{"10.0.0", NULL, 0},
		{"10.0.0.256", NULL, 0},
		{"", NULL, 0},
		{":80", NULL, 0},
		{"[fd00::1", NULL, 0},
		{"[fd00::1]80", NULL, 0},
		{"[10.0.0.1]:80", NULL, 0},
		{"localhost:80", NULL, 0},
		{"10.0.0.1:80x", NULL, 0},
		{"10.0.0.1%eth0", NULL, 0},
		{"[]:80", NULL, 0},
		{"1111111111111111111111111111111111111111111111111111111111111111111111", NULL, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct address a;
		int r = address_parse(rows[i].text, &a);

		assert_int_equal(r, rows[i].host ? 0 : -EINVAL);
		if (r < 0)
			continue;
		assert_string_equal(a.host, rows[i].host);
		assert_int_equal(a.has_port, rows[i].port != 0);
		assert_int_equal(a.port, rows[i].port);
	}
}

static void preload_lists(void **state)
{
	static const struct {
		const char *list;
		const char *result;
	} rows[] = {
		{NULL, "/l/libsmcshim.so"},
		{"", "/l/libsmcshim.so"},
		{":: :", "/l/libsmcshim.so"},
		{"/a.so", "/l/libsmcshim.so:/a.so"},
		{"/a.so /b.so", "/l/libsmcshim.so:/a.so:/b.so"},
		{":/a.so::/b.so:", "/l/libsmcshim.so:/a.so:/b.so"},
		{"/l/libsmcshim.so", "/l/libsmcshim.so"},
		{"/a.so:/l/libsmcshim.so:/b.so", "/l/libsmcshim.so:/a.so:/b.so"},
		{"/old/libsmcshim.so:libsmcshim.so", "/l/libsmcshim.so"},
		{"/x/notlibsmcshim.so", "/l/libsmcshim.so:/x/notlibsmcshim.so"},
		{"/x/libsmcshim.so.1", "/l/libsmcshim.so:/x/libsmcshim.so.1"},
		{"/a.so:libasan.so.8", "libasan.so.8:/l/libsmcshim.so:/a.so"},
	};
	static const struct {
		const char *list;
		const char *result;
	} without[] = {
		{NULL, ""},
		{"/l/libsmcshim.so", ""},
		{"/old/libsmcshim.so:libsmcshim.so", ""},
		{"/a.so:/l/libsmcshim.so /b.so", "/a.so:/b.so"},
		{"/l/libsmcshim.so:/a.so:libasan.so.8", "libasan.so.8:/a.so"},
		{"/x/libsmcshim.so.1", "/x/libsmcshim.so.1"},
	};
	const char *element;
	size_t length;
	char *text;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(preload_list(rows[i].list, "/l/libsmcshim.so", &text), 0);
		assert_string_equal(text, rows[i].result);
		free(text);
	}
	for (size_t i = 0; i < sizeof(without) / sizeof(without[0]); i++) {
		assert_int_equal(preload_list(without[i].list, NULL, &text), 0);
		assert_string_equal(text, without[i].result);
		free(text);
	}
	assert_int_equal(preload_list(NULL, "/my dir/libsmcshim.so", &text), -EINVAL);
	assert_int_equal(preload_list(NULL, "/my:dir/libsmcshim.so", &text), -EINVAL);
	assert_true(preload_list_find("/a.so /l/libsmcshim.so:/b", &element, &length));
	assert_int_equal(length, strlen("/l/libsmcshim.so"));
	assert_false(preload_list_find("/a.so:/libsmcshim.so2", &element, &length));
}

static char *put(const char *text)
{
	char *copy = NULL;
	size_t size;
	FILE *stream = open_memstream(&copy, &size);

	assert_non_null(stream);
	text_put(stream, text);
	assert_int_equal(fclose(stream), 0);
	return copy;
}

static void safe_text(void **state)
{
	static const struct {
		const char *text;
		const char *result;
	} rows[] = {
		{"plain", "plain"},
		{"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
		{"a\033[2Jb", "a\\x1b[2Jb"},
		{"a\nb", "a\\x0ab"},
		{"\xff", "\\xff"},
		{"\xc2\x9b", "\\xc2\\x9b"},
		{"\xc0\x80", "\\xc0\\x80"},
		{"\xed\xa0\x80", "\\xed\\xa0\\x80"},
		{"\xe2\x82", "\\xe2\\x82"},
		{"\x7f", "\\x7f"},
		{"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
		{"\xf5\x80\x80\x80", "\\xf5\\x80\\x80\\x80"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *result = put(rows[i].text);

		assert_string_equal(result, rows[i].result);
		free(result);
	}
}

/* One document with everything in it. */
static char *document(bool json)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);
	struct out *out;

	assert_non_null(stream);
	assert_int_equal(out_begin(stream, json, &out), 0);
	out_string(out, "name", "name", "a\"b\\c\n\xff");
	out_uint(out, "big", "big", UINT64_MAX);
	out_null(out, "none", "none");
	out_string(out, "json_only", NULL, "x");
	out_string(out, NULL, "text only", "x");
	out_list(out, "words", "words");
	out_string(out, NULL, NULL, "one");
	out_string(out, NULL, NULL, "two");
	out_close(out);
	out_list(out, "empty", NULL);
	out_close(out);
	out_list(out, "rows", NULL);
	for (unsigned i = 0; i < 2; i++) {
		out_object(out, NULL, NULL);
		out_uint(out, "n", "N", i * 1000);
		out_string(out, "s", "WORD", i ? "b" : "long");
		out_bool(out, "b", "LAST", i != 0);
		if (i == 0)
			out_note(out, "note %u", i);
		out_close(out);
	}
	out_close(out);
	out_object(out, "object", NULL);
	out_uint(out, "k", NULL, 1);
	out_close(out);
	out_note(out, "the end");
	assert_int_equal(out_end(out), 0);
	assert_int_equal(fclose(stream), 0);
	return text;
}

static void output_json(void **state)
{
	char *text = document(true);

	(void)state;
	assert_string_equal(text,
		"{\"name\":\"a\\\"b\\\\c\\u000a\\ufffd\",\"big\":18446744073709551615,\"none\":null,\"json_only\":"
		"\"x\","
		"\"words\":[\"one\",\"two\"],\"empty\":[],\"rows\":[{\"n\":0,\"s\":\"long\",\"b\":false},"
		"{\"n\":1000,\"s\":\"b\",\"b\":true}],\"object\":{\"k\":1}}\n");
	free(text);
}

static void output_text(void **state)
{
	char *text = document(false);

	(void)state;
	assert_string_equal(text,
		"name         a\"b\\c\\x0a\\xff\n"
		"big          18446744073709551615\n"
		"none         -\n"
		"text only    x\n"
		"words        one, two\n"
		"   N  WORD  LAST\n"
		"   0  long  no\n"
		"    note 0\n"
		"1000  b     yes\n"
		"the end\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),
		cmocka_unit_test(addresses),
		cmocka_unit_test(preload_lists),
		cmocka_unit_test(safe_text),
		cmocka_unit_test(output_json),
		cmocka_unit_test(output_text),
	};

	return cmocka_run_group_tests_name("ctl-text", tests, NULL, NULL);
}
