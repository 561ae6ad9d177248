/* SPDX-License-Identifier: MIT */
/* Tests of smcctl pod: the tree, the patch, HTTP; and over 10,000 generated objects that twice is once and undone is undone. */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "ctl/pod/pod.h"
#include "ctl/pod/webhook.h"

#define OBJECTS 10000

/* ---- generated objects ---- */

static uint64_t seed;

static unsigned chance(unsigned n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % n;
}

static const char *one_of(const char *const words[], size_t count)
{
	return words[chance((unsigned)count)];
}
#define ONE_OF(...) \
	one_of((const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void put_unknown(FILE *out)
{
	static const char *const texts[] = {"", "\"x\": 1.0,", "\"x\": 12345678901234567890,", "\"x\": -1e+30,",
		"\"x\": \"a \\u003e \\u00e9 \\ud83d\\ude00 \\/\",", "\"x\": {\"y\": [null, [], {}]},",
		"\"\\u0061b\": false,"};

	fputs(texts[chance(7)], out);
}

static void put_preload(FILE *out)
{
	fputs(ONE_OF("{\"name\":\"LD_PRELOAD\",\"value\":\"/a.so\"}", "{\"name\":\"LD_PRELOAD\",\"value\":\"\"}",
		      "{\"name\":\"LD_PRELOAD\"}", "{\"value\":\"/a.so /b.so:\",\"name\":\"LD_PRELOAD\"}",
		      "{\"name\":\"LD_PRELOAD\",\"value\":\"/l/libasan.so.8:$(A)\",\"note\":1.50}",
		      "{\"name\":\"LD_PRELOAD\",\"value\":\"/usr/lib/smcshim/libsmcshim.so\"}",
		      "{\"name\":\"LD_PRELOAD\",\"value\":\"/opt/smcshim/libsmcshim.so:\\u002fa.so\"}",
		      "{\"name\":\"LD_PRELOAD\",\"value\":\"/opt/smcshim/libsmcshim.so\"}",
		      "{\"name\":\"LD_PRELOAD\",\"value\":null}",
		      "{\"name\":\"LD_PRELOAD\",\"valueFrom\":{\"fieldRef\":{\"fieldPath\":\"x\"}}}"),
		out);
}

static void put_env(FILE *out)
{
	unsigned count = chance(4);

	if (chance(4) == 0)
		return;
	if (chance(5) == 0) {
		fputs("\"env\": null,", out);
		return;
	}
	fputs("\"env\": [", out);
	for (unsigned i = 0; i < count; i++) {
		if (chance(3) == 0)
			put_preload(out);
		else
			fprintf(out, "{\"name\":\"V%u\",\"value\":\"%s\"}", i, ONE_OF("", "a", "$(V0)"));
		if (i + 1 < count)
			fputc(',', out);
	}
	fputs("],", out);
}

static void put_container(FILE *out, const char *name, bool init)
{
	fputc('{', out);
	put_unknown(out);
	put_env(out);
	fputs(ONE_OF("", "", "\"volumeMounts\": null,", "\"volumeMounts\": [],",
		      "\"volumeMounts\": [{\"name\":\"data\",\"mountPath\":\"/data\"}],",
		      "\"volumeMounts\": [{\"name\":\"data\",\"mountPath\":\"/run/smc/\"}],",
		      "\"volumeMounts\": [{\"name\":\"smc-run\",\"mountPath\":\"/data\"}],"),
		out);
	fputs(ONE_OF("", "\"resources\": {},", "\"resources\": {\"limits\": null},", "\"resources\": null,",
		      "\"resources\": {\"limits\":{\"cpu\":\"1\"},\"requests\":{\"cpu\":\"1\"}},",
		      "\"resources\": {\"requests\":{\"aliyun/erdma\":1,\"cpu\":\"1\"}},",
		      "\"resources\": {\"limits\":{\"aliyun/erdma\":2},\"requests\":{\"aliyun/erdma\":2}},"),
		out);
	if (init && chance(2))
		fputs("\"restartPolicy\": \"Always\",", out);
	fprintf(out, "\"image\": \"%s\", \"name\": \"%s\"}", ONE_OF("nginx", "prom/prometheus:v1", "a/b:c@sha256:00"),
		name);
}

static void put_template(FILE *out)
{
	unsigned count = 1 + chance(3);

	fputs(ONE_OF("\"metadata\": null,", "", "\"metadata\": {},", "\"metadata\": {\"annotations\": null},",
		      "\"metadata\": {\"annotations\": {}, \"name\": \"n\"},",
		      "\"metadata\": {\"annotations\": {\"z\": \"1\", \"smc.smcctl.io/exclude\": \"c1\"}},",
		      "\"metadata\": {\"annotations\": {\"smc.smcctl.io/inject\": \"false\"}},",
		      "\"metadata\": {\"annotations\": {\"smc.asm.alibabacloud.com/enabled\": \"true\"}},",
		      "\"metadata\": {\"annotations\": {\"network.alibabacloud.com/erdma-smcr\": \"true\"}},",
		      "\"metadata\": {\"labels\": {\"a\": \"b\"}, \"namespace\": \"n\"},"),
		out);
	fputs("\"spec\": {", out);
	put_unknown(out);
	fputs(ONE_OF("", "", "\"hostNetwork\": true,", "\"runtimeClassName\": \"kata\",",
		      "\"securityContext\": {\"runAsUser\": 0},",
		      "\"nodeSelector\": {\"kubernetes.io/os\":\"windows\"},"),
		out);
	fputs(ONE_OF("", "\"volumes\": null,", "\"volumes\": [],",
		      "\"volumes\": [{\"name\": \"data\", \"emptyDir\": {}}],"),
		out);
	if (chance(2)) {
		fputs("\"initContainers\": [", out);
		put_container(out, "i0", true);
		fputs("],", out);
	} else {
		fputs(ONE_OF("", "\"initContainers\": [],", "\"initContainers\": null,"), out);
	}
	fputs("\"containers\": [", out);
	for (unsigned i = 0; i < count; i++) {
		put_container(out, i == 0 ? "c0" : i == 1 ? "c1" : "istio-proxy", false);
		if (i + 1 < count)
			fputc(',', out);
	}
	fputs("]}", out);
}

static void put_object(FILE *out)
{
	static const struct {
		const char *head, *tail;
	} kinds[] = {
		{"\"apiVersion\": \"v1\", \"kind\": \"Pod\",", ""},
		{"\"apiVersion\": \"v1\", \"kind\": \"PodTemplate\", \"template\": {", "}"},
		{"\"apiVersion\": \"v1\", \"kind\": \"ReplicationController\", \"spec\": {\"template\": {", "}}"},
		{"\"kind\": \"Deployment\", \"apiVersion\": \"apps/v1\", \"spec\": {\"template\": {", "}}"},
		{"\"apiVersion\": \"apps/v1\", \"kind\": \"StatefulSet\", \"spec\": {\"template\": {", "}}"},
		{"\"apiVersion\": \"apps/v1\", \"kind\": \"DaemonSet\", \"spec\": {\"template\": {", "}, \"z\": 0.0}"},
		{"\"apiVersion\": \"apps/v1beta2\", \"kind\": \"ReplicaSet\", \"spec\": {\"template\": {", "}}"},
		{"\"apiVersion\": \"batch/v1\", \"kind\": \"Job\", \"spec\": {\"template\": {", "}}"},
		{"\"apiVersion\": \"batch/v1\", \"kind\": \"CronJob\", \"spec\": {\"jobTemplate\": {\"spec\": "
		 "{\"template\": {",
			"}}}}"},
		{"\"apiVersion\": \"batch.volcano.sh/v1\", \"kind\": \"Job\", \"spec\": {\"template\": {", "}}"},
	};
	unsigned kind = chance(10);

	fputc('{', out);
	fputs(kinds[kind].head, out);
	put_template(out);
	fputs(kinds[kind].tail, out);
	fputc('}', out);
}

static char *make_object(void)
{
	unsigned items = chance(6) ? 0 : 1 + chance(3);
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	if (items)
		fputs("{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [", out);
	put_object(out);
	for (unsigned i = 1; i < items; i++) {
		fputc(',', out);
		put_object(out);
	}
	if (items)
		fputs("]}", out);
	assert_int_equal(fclose(out), 0);
	return text;
}

/* ---- running ---- */

static struct node *parse(struct tree *tree, const char *text, struct tree_style *style)
{
	struct json_fault fault = {.what = ""};
	struct node *node = NULL;
	size_t at = 0;

	if (tree_parse(tree, text, strlen(text), &at, &node, style, &fault) < 0)
		fail_msg("%s: %s in %s", fault.what, fault.why, text);
	assert_int_equal(at, strlen(text));
	return node;
}

static char *print(const struct node *node, const struct tree_style *style)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	tree_print(out, node, style);
	assert_int_equal(fclose(out), 0);
	return text;
}

static char *run(const char *text, pod_function *function, const struct pod_options *options, bool *injected)
{
	_cleanup_tree_ struct tree tree = {.error = 0};
	struct pod_report *reports = NULL;
	struct tree_style style;
	struct node *node = parse(&tree, text, &style);

	assert_int_equal(pod_each(&tree, options, node, function, &reports), 0);
	assert_non_null(reports);
	*injected = false;
	for (const struct pod_report *r = reports; r; r = r->next) {
		assert_true(r->result < POD_REFUSED);
		*injected = *injected || r->result == POD_INJECTED;
	}
	return print(node, &style);
}

enum liking { IN_A_LINE, IN_LINES, WITH_BLANKS, ANYHOW };

static void put_blanks(FILE *out, enum liking liking)
{
	if (liking == ANYHOW)
		fputs(ONE_OF("", "", " ", "  ", "\t", "\n", "\r\n", "\n\n ", "\r", "\r\n\t\t"), out);
	else if (liking == WITH_BLANKS)
		fputc(' ', out);
}

static void put_line(FILE *out, enum liking liking, unsigned depth)
{
	if (liking == IN_LINES)
		fprintf(out, "\n%*s", (int)(3 * depth), "");
	else
		put_blanks(out, liking);
}

/* Each container as somebody may have written it by hand. */
static void put_by_hand(FILE *out, const struct node *node, unsigned depth)
{
	enum liking liking = (enum liking)chance(4);

	if (node->type == NODE_STRING || node->type == NODE_OTHER) {
		fputs(node->raw, out);
		return;
	}
	fputc(node->type == NODE_OBJECT ? '{' : '[', out);
	for (const struct node *n = node->first; n; n = n->next) {
		put_line(out, liking, depth + 1);
		if (node->type == NODE_OBJECT) {
			fputs(n->key_raw, out);
			put_blanks(out, liking);
			fputc(':', out);
			put_blanks(out, liking);
		}
		put_by_hand(out, n, depth + 1);
		if (!n->next)
			break;
		put_blanks(out, liking);
		fputc(',', out);
	}
	put_line(out, liking, depth);
	fputc(node->type == NODE_OBJECT ? '}' : ']', out);
}

/* Any layout in which an object may come. */
static char *lay_out(const char *text)
{
	static const struct tree_style styles[] = {{false, true, false, "    ", true, true},
		{false, true, false, "  ", true, true}, {false, true, true, "  ", true, true},
		{false, true, false, "\t", false, true}, {false, false, false, "", false, false},
		{false, false, false, "", true, true}};
	_cleanup_tree_ struct tree tree = {.error = 0};
	struct tree_style style;
	const struct node *node = parse(&tree, text, &style);
	char *laid;
	size_t size;
	FILE *out;

	if (chance(2))
		return print(node, &styles[chance(6)]);
	out = open_memstream(&laid, &size);
	assert_non_null(out);
	put_by_hand(out, node, 0);
	assert_int_equal(fclose(out), 0);
	return laid;
}

static void random_options(struct pod_options *options)
{
	*options = (struct pod_options){.method = (enum pod_method)chance(3),
		.dialect = chance(5) ? POD_SPEAKS_SMCSHIM : (enum pod_dialect)chance(3),
		.containers = chance(6) ? NULL : ONE_OF("c0", "c0,i0", "istio-proxy", "nothing"),
		.policy = "p",
		.image = "i",
		.no_watch = chance(2)};
}

static void properties(void **state)
{
	unsigned injected = 0;

	(void)state;
	for (unsigned i = 0; i < OBJECTS; i++) {
		_cleanup_free_ char *made = NULL, *x = NULL, *once = NULL, *twice = NULL, *back = NULL;
		struct pod_options options;
		bool did, again, no;

		seed = i;
		made = make_object();
		x = lay_out(made);
		random_options(&options);
		once = run(x, pod_inject, &options, &did);
		twice = run(once, pod_inject, &options, &again);
		back = run(once, pod_uninject, &options, &no);
		if (strcmp(once, twice) != 0)
			fail_msg("object %u: twice is not once:\n%s\n%s", i, once, twice);
		if (strcmp(x, back) != 0)
			fail_msg("object %u: not as it was:\n%s\n%s", i, x, back);
		if (did != (strcmp(x, once) != 0))
			fail_msg("object %u: said otherwise than done:\n%s", i, once);
		injected += did;
	}
	/* The generator must not make objects that nothing is done to. */
	assert_in_range(injected, OBJECTS / 3, OBJECTS);
}

/* Other options at the second time: as if it were the first. */
static void again_otherwise(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		_cleanup_free_ char *made = NULL, *x = NULL, *first = NULL, *second = NULL, *direct = NULL;
		struct pod_options a, b;
		bool did;

		seed = 77777 + i;
		made = make_object();
		x = lay_out(made);
		random_options(&a);
		random_options(&b);
		first = run(x, pod_inject, &a, &did);
		second = run(first, pod_inject, &b, &did);
		direct = run(x, pod_inject, &b, &did);
		if (strcmp(second, direct) != 0)
			fail_msg("object %u:\n%s\n%s", i, second, direct);
	}
}

/* The API server makes a request of the limit that was added: it goes, too. */
static void requests(void **state)
{
	static const char *const text = "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"spec\":{\"containers\":["
					"{\"name\":\"c\",\"resources\":{\"limits\":{},\"requests\":{}}}]}}";
	static const struct pod_options options = {.dialect = POD_SPEAKS_ERDMA};
	_cleanup_free_ char *once = NULL, *defaulted = NULL, *back = NULL;
	const char *at;
	bool did;

	(void)state;
	once = run(text, pod_inject, &options, &did);
	at = strstr(once, "\"requests\":{");
	assert_non_null(at);
	at += strlen("\"requests\":{");
	assert_true(asprintf(&defaulted, "%.*s\"aliyun/erdma\":\"1\"%s", (int)(at - once), once, at) > 0);
	back = run(defaulted, pod_uninject, &options, &did);
	assert_string_equal(back, text);
}

/* ---- the tree ---- */

static void keeps_texts(void **state)
{
	static const char *const texts[] = {"{}", "[]", "{\"a\":1.0,\"b\":1,\"c\":1e400,\"d\":0.10}",
		"{\n  \"a\": {},\n  \"b\": [\n    1,\n    \"\\u003c\\/\"\n  ]\n}", "[1, [2, {\"a\": null}]]",
		"{\n\t\"z\": 1,\n\t\"a\": 2\n}", "{\r\n  \"a\" :[\r\n  ] , \"b\":\t{ }\n,\"c\": [ 1,2 , 3]}"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		_cleanup_tree_ struct tree tree = {.error = 0};
		struct tree_style style;
		const struct node *node = parse(&tree, texts[i], &style);
		_cleanup_free_ char *text = print(node, &style);

		assert_string_equal(text, texts[i]);
	}
}

static void decodes(void **state)
{
	_cleanup_tree_ struct tree tree = {.error = 0};
	struct tree_style style;
	const struct node *node =
		parse(&tree, "{\"\\u0061\":\"\\u00e9\\u20ac\\ud83d\\ude00\\n\\t\\\\\\\"\\/\\b\\f\\r\"}", &style);

	(void)state;
	assert_string_equal(node_string(node, "a"), "\u00e9\u20ac\U0001f600\n\t\\\"/\b\f\r");
	assert_string_equal(tree_line(&tree, tree_string(&tree, "a\"\\\n\t\r\x01n")), "\"a\\\"\\\\\\n\\t\\r\\u0001n\"");
}

static void refuses(void **state)
{
	static const char *const texts[] = {"{\"a\":1,\"a\":2}", "{\"a\":1,\"\\u0061\":2}", "{\"a\":01}",
		"{\"a\":\"\\ud800\"}", "{\"a\":}", "{", "[1,]", "{\"a\":1 \"b\":2}", "nul"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		_cleanup_tree_ struct tree tree = {.error = 0};
		struct json_fault fault = {.what = NULL};
		struct tree_style style;
		struct node *node = NULL;
		size_t at = 0;

		assert_int_equal(tree_parse(&tree, texts[i], strlen(texts[i]), &at, &node, &style, &fault), -EBADMSG);
		assert_non_null(fault.what);
	}
}

static void deep(void **state)
{
	_cleanup_tree_ struct tree tree = {.error = 0};
	struct json_fault fault;
	struct tree_style style;
	struct node *node;
	char text[203];
	size_t at = 0;

	(void)state;
	memset(text, '[', 100);
	memset(text + 100, ']', 101);
	text[200] = '\0';
	assert_int_equal(tree_parse(&tree, text, 200, &at, &node, &style, &fault), 0);
	memset(text, '[', 101);
	memset(text + 101, ']', 101);
	text[202] = '\0';
	at = 0;
	assert_int_equal(tree_parse(&tree, text, 202, &at, &node, &style, &fault), -EBADMSG);
}

/* ---- the patch ---- */

static void patches(void **state)
{
	static const struct {
		const char *a, *b, *patch;
	} rows[] = {
		{"{\"a\":1}", "{\"a\":1}", "[]"},
		{"{\"a\":1}", "{\"a\":1.0}", "[{\"op\":\"replace\",\"path\":\"/a\",\"value\":1.0}]"},
		{"{}", "{\"a/b~c\":[]}", "[{\"op\":\"add\",\"path\":\"/a~1b~0c\",\"value\":[]}]"},
		{"{\"a\":[{\"name\":\"x\"}]}", "{\"a\":[{\"name\":\"w\"},{\"name\":\"x\",\"y\":1}]}",
			"[{\"op\":\"add\",\"path\":\"/a/0\",\"value\":{\"name\":\"w\"}},"
			"{\"op\":\"add\",\"path\":\"/a/1/y\",\"value\":1}]"},
		{"{\"a\":[1,2,3]}", "{\"a\":[1,3]}", "[{\"op\":\"remove\",\"path\":\"/a/1\"}]"},
		{"{\"a\":{}}", "{\"a\":[]}", "[{\"op\":\"replace\",\"path\":\"/a\",\"value\":[]}]"},
		{"{\"a\":null}", "{}", "[{\"op\":\"remove\",\"path\":\"/a\"}]"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_tree_ struct tree tree = {.error = 0};
		struct tree_style style;
		const struct node *a = parse(&tree, rows[i].a, &style);
		const struct node *b = parse(&tree, rows[i].b, &style);

		assert_string_equal(tree_line(&tree, pod_patch(&tree, a, b)), rows[i].patch);
	}
}

static void base64(void **state)
{
	_cleanup_tree_ struct tree tree = {.error = 0};

	(void)state;
	/* RFC 4648, section 10. */
	assert_string_equal(pod_base64(&tree, ""), "");
	assert_string_equal(pod_base64(&tree, "f"), "Zg==");
	assert_string_equal(pod_base64(&tree, "fo"), "Zm8=");
	assert_string_equal(pod_base64(&tree, "foobar"), "Zm9vYmFy");
}

/* ---- HTTP ---- */

/* What is read of text, when nothing follows; or, to a target /wait, nothing yet. */
static int http_of(const char *text, char **body, char *said, size_t size)
{
	struct http_head head;
	int in[2], out[2];
	ssize_t n;
	int r;

	assert_int_equal(pipe(in), 0);
	assert_int_equal(pipe(out), 0);
	assert_int_equal(write(in[1], text, strlen(text)), strlen(text));
	if (strncmp(text, "POST /wait", 10) != 0)
		close(in[1]);
	r = webhook_read(in[0], out[1], 1, &head, body);
	if (strncmp(text, "POST /wait", 10) == 0)
		close(in[1]);
	close(out[1]);
	n = read(out[0], said, size - 1);
	said[n > 0 ? n : 0] = '\0';
	close(in[0]);
	close(out[0]);
	return r;
}

static void http_heads(void **state)
{
	static const struct {
		const char *text;
		int status;
		const char *body;
	} rows[] = {
		{"POST /r HTTP/1.1\r\nContent-Length: 7\r\n\r\n1234567", 0, "1234567"},
		{"POST /r HTTP/1.1\r\ncontent-length:  7 \r\nHost: x\r\n\r\n1234567", 0, "1234567"},
		{"POST /r HTTP/1.1\r\nContent-Length: 7\r\nContent-Length: 7\r\n\r\n1234567", 0, "1234567"},
		{"POST /r HTTP/1.1\r\nContent-Length: 7\r\nContent-Length: 8\r\n\r\n12345678", 400, NULL},
		{"POST /r HTTP/1.1\r\nContent-Length: -7\r\n\r\n", 400, NULL},
		{"POST /r HTTP/1.1\r\nContent-Length: 7x\r\n\r\n1234567", 400, NULL},
		{"POST /r HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", 413, NULL},
		{"POST /r HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n", 400, NULL},
		{"POST /r HTTP/1.1\r\n\r\n", 411, NULL},
		{"POST /r HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 411, NULL},
		{"GET / HTTP/1.1\r\n\r\n", 0, ""},
		{"PUT / HTTP/1.1\r\n\r\n", 405, NULL},
		{"HEAD / HTTP/1.1\r\n\r\n", 405, NULL},
		{"BREW / HTTP/1.1\r\n\r\n", 405, NULL},
		{"GET / HTTP/2\r\n\r\n", 400, NULL},
	};
	char *flood;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char said[64];
		char *body = NULL;

		assert_int_equal(http_of(rows[i].text, &body, said, sizeof(said)), rows[i].status);
		assert_true(rows[i].body ? body && strcmp(body, rows[i].body) == 0 : !body);
		free(body);
	}
	for (size_t length = WEBHOOK_HEAD_MAX - 1; length <= WEBHOOK_HEAD_MAX + 1; length++) {
		char said[64];
		char *body = NULL;

		flood = calloc(1, length + 1);
		assert_non_null(flood);
		memset(flood, 'x', length);
		memcpy(flood, "GET /", 5);
		assert_int_equal(http_of(flood, &body, said, sizeof(said)), length < WEBHOOK_HEAD_MAX ? 400 : 413);
		free(flood);
	}
}

static void http_bodies(void **state)
{
	char said[64];
	char *body = NULL;

	(void)state;
	assert_int_equal(http_of("", &body, said, sizeof(said)), -EPIPE);
	assert_int_equal(http_of("POST", &body, said, sizeof(said)), 400);
	assert_int_equal(http_of("POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nshort", &body, said, sizeof(said)), 400);
	assert_int_equal(
		http_of("POST /wait HTTP/1.1\r\nContent-Length: 9\r\n\r\nshort", &body, said, sizeof(said)), 408);
	assert_null(body);
	assert_int_equal(http_of("POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcdef", &body, said, sizeof(said)), 0);
	assert_string_equal(body, "abc");
	free(body);
	assert_string_equal(said, "");
	body = NULL;
	assert_int_equal(http_of("POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n", &body, said,
				 sizeof(said)),
		400);
	assert_string_equal(said, "HTTP/1.1 100 Continue\r\n\r\n");
}

static void lists(void **state)
{
	(void)state;
	assert_true(pod_listed("a,b", "b"));
	assert_true(pod_listed(" a , b ", "a"));
	assert_false(pod_listed("ab", "a"));
	assert_false(pod_listed("", ""));
	assert_false(pod_listed(NULL, "a"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_texts),
		cmocka_unit_test(decodes),
		cmocka_unit_test(refuses),
		cmocka_unit_test(deep),
		cmocka_unit_test(patches),
		cmocka_unit_test(base64),
		cmocka_unit_test(lists),
		cmocka_unit_test(properties),
		cmocka_unit_test(again_otherwise),
		cmocka_unit_test(requests),
		cmocka_unit_test(http_heads),
		cmocka_unit_test(http_bodies),
	};

	return cmocka_run_group_tests_name("ctl-pod", tests, NULL, NULL);
}
