/* SPDX-License-Identifier: MIT */
/* Reads manifests, and writes them back. */
#include "config.h"

#include "ctl/pod/input.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* All objects of a large cluster in one List. */
#define INPUT_MAX ((size_t)256 << 20)

void pod_input_clear(struct pod_input *input)
{
	for (size_t i = 0; i < input->sources; i++) {
		free(input->source[i].name);
		free(input->source[i].text);
	}
	free(input->source);
	free(input->document);
}

static enum ctl_exit no_memory(struct ctl *ctl, const char *name)
{
	return ctl_error(ctl, CTL_FAILED, "manifest", name, "%s", strerror(ENOMEM));
}

static enum ctl_exit file_error(struct ctl *ctl, const char *name, int r)
{
	return ctl_error(ctl, r == -EACCES || r == -EPERM ? CTL_NOT_PERMITTED : CTL_BAD_INPUT, "manifest", name, "%s",
		r == -EFBIG ? "is larger than 256 MiB" : strerror(-r));
}

/* ---- files ---- */

/* Takes text over, whatever comes of it. */
static enum ctl_exit add_text(struct ctl *ctl, struct pod_input *input, const char *name, char *text, size_t size)
{
	struct pod_source source = {.name = strdup(name), .text = text, .size = size};
	struct pod_source *larger = realloc(input->source, (input->sources + 1) * sizeof(*larger));

	if (larger)
		input->source = larger;
	if (larger && source.name) {
		input->source[input->sources++] = source;
		return CTL_OK;
	}
	free(source.name);
	free(text);
	return no_memory(ctl, name);
}

static enum ctl_exit add_source(struct ctl *ctl, struct pod_input *input, const char *name)
{
	bool standard = strcmp(name, "-") == 0;
	_cleanup_close_ int fd = standard ? dup(STDIN_FILENO) : open_read(name);
	char *text = NULL;
	size_t size = 0;
	int r = fd < 0 ? (standard ? -errno : fd) : read_all(fd, INPUT_MAX, &text, &size);

	name = standard ? "standard input" : name;
	return r < 0 ? file_error(ctl, name, r) : add_text(ctl, input, name, text, size);
}

static int is_json(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return entry->d_name[0] != '.' && length > 5 && strcmp(entry->d_name + length - 5, ".json") == 0;
}

static enum ctl_exit add_directory(struct ctl *ctl, struct pod_input *input, const char *name)
{
	struct dirent **entries = NULL;
	int count = scandir(name, &entries, is_json, alphasort);
	enum ctl_exit code = CTL_OK;

	if (count < 0)
		return file_error(ctl, name, -errno);
	if (count == 0)
		code = ctl_error(ctl, CTL_BAD_INPUT, "directory", name, "has no file *.json; YAML is not read");
	for (int i = 0; i < count; i++) {
		_cleanup_free_ char *path = NULL;

		if (asprintf(&path, "%s/%s", name, entries[i]->d_name) < 0) {
			path = NULL;
			code = no_memory(ctl, name);
		} else if (code == CTL_OK) {
			code = add_source(ctl, input, path);
		}
		free(entries[i]);
	}
	free(entries);
	return code;
}

static bool is_directory(const char *name)
{
	struct stat st;

	return strcmp(name, "-") != 0 && stat(name, &st) == 0 && S_ISDIR(st.st_mode);
}

/* ---- documents ---- */

static enum ctl_exit text_error(struct ctl *ctl, const struct pod_source *source, const struct json_fault *fault)
{
	_cleanup_free_ char *where = NULL;
	size_t line = 1;
	size_t column = 1;
	size_t length = fault->where.length < 60 ? fault->where.length : 60;

	for (size_t i = 0; i < fault->where.position; i++) {
		column = source->text[i] == '\n' ? 1 : column + 1;
		line += source->text[i] == '\n';
	}
	if (asprintf(&where, "%s:%zu:%zu", source->name, line, column) < 0) {
		where = NULL;
		return no_memory(ctl, source->name);
	}
	return ctl_error(ctl, CTL_BAD_INPUT, "manifest", where, length ? "%s '%.*s': %s" : "%s%.*s: %s", fault->what,
		(int)length, source->text + fault->where.position, fault->why);
}

static enum ctl_exit add_document(
	struct ctl *ctl, struct tree *tree, struct pod_input *input, const struct pod_source *source, size_t *at)
{
	struct pod_document *larger = realloc(input->document, (input->documents + 1) * sizeof(*larger));
	struct pod_document document = {.source = source, .start = *at};
	struct json_fault fault;
	int r;

	if (!larger)
		return no_memory(ctl, source->name);
	input->document = larger;
	r = tree_parse(tree, source->text, source->size, at, &document.root, &document.style, &fault);
	if (r == -EBADMSG)
		return text_error(ctl, source, &fault);
	if (r < 0)
		return no_memory(ctl, source->name);
	document.end = *at;
	if (document.root->type != NODE_OBJECT) {
		fault = (struct json_fault){{document.start, 1}, "value", "an object must stand here"};
		return text_error(ctl, source, &fault);
	}
	input->document[input->documents++] = document;
	return CTL_OK;
}

static enum ctl_exit parse_source(
	struct ctl *ctl, struct tree *tree, struct pod_input *input, const struct pod_source *source)
{
	struct json_fault fault;
	size_t at = strspn(source->text, " \t\r\n");
	enum ctl_exit code = CTL_OK;

	if (!json_check_bytes(source->text, source->size, &fault))
		return text_error(ctl, source, &fault);
	if (at == source->size)
		return ctl_error(ctl, CTL_BAD_INPUT, "manifest", source->name, "is empty");
	if (source->text[at] != '{' && source->text[at] != '[')
		return ctl_error(ctl, CTL_BAD_INPUT, "manifest", source->name,
			"is no JSON; YAML is not read: let kubectl make JSON of it (kubectl get ... -o json, kubectl "
			"create "
			"--dry-run=client -o json -f FILE)");
	while (at < source->size && code == CTL_OK) {
		code = add_document(ctl, tree, input, source, &at);
		at += strspn(source->text + at, " \t\r\n");
	}
	return code;
}

enum ctl_exit pod_input_text(
	struct ctl *ctl, struct tree *tree, struct pod_input *input, const char *name, char *text, size_t size)
{
	enum ctl_exit code = add_text(ctl, input, name, text, size);

	return code == CTL_OK ? parse_source(ctl, tree, input, &input->source[0]) : code;
}

enum ctl_exit pod_input_read(struct ctl *ctl, const struct ctl_args *args, struct tree *tree, struct pod_input *input)
{
	enum ctl_exit code = args->operands ? CTL_OK : add_source(ctl, input, "-");

	for (size_t i = 0; i < args->operands && code == CTL_OK; i++)
		code = is_directory(args->operand[i]) ? add_directory(ctl, input, args->operand[i])
						      : add_source(ctl, input, args->operand[i]);
	for (size_t i = 0; i < input->sources && code == CTL_OK; i++)
		code = parse_source(ctl, tree, input, &input->source[i]);
	return code;
}

/* ---- and back ---- */

static int print(const struct node *node, const struct tree_style *style, char **out)
{
	size_t size;
	FILE *stream = open_memstream(out, &size);

	if (!stream)
		return -ENOMEM;
	tree_print(stream, node, style);
	return fclose(stream) == 0 ? 0 : -ENOMEM;
}

static int do_document(struct pod_document *document, struct tree *tree, const struct pod_options *options,
	pod_function *function, struct pod_report **reports, FILE *out, bool *changed)
{
	const char *before = document->source->text + document->start;
	size_t size = document->end - document->start;
	_cleanup_free_ char *after = NULL;
	int r = pod_each(tree, options, document->root, function, reports);

	if (r == 0 && out)
		r = print(document->root, &document->style, &after);
	if (r < 0 || !after)
		return r;
	fputs(after, out);
	*changed = *changed || strlen(after) != size || memcmp(before, after, size) != 0;
	return 0;
}

/* What stands behind a document: blanks. Two documents must not run into each other. */
static void put_between(const struct pod_input *input, size_t i, FILE *out)
{
	const struct pod_document *document = &input->document[i];
	const char *text = document->source->text;
	size_t blank = strspn(text + document->end, " \t\r\n");

	fwrite(text + document->end, 1, blank, out);
	if (i + 1 < input->documents && !blank)
		fputc('\n', out);
}

int pod_input_each(struct pod_input *input, struct tree *tree, const struct pod_options *options,
	pod_function *function, struct pod_report **reports, char **out, bool *changed)
{
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *stream = out ? open_memstream(&text, &size) : NULL;
	int r = out && !stream ? -ENOMEM : 0;

	*changed = false;
	for (size_t i = 0; i < input->documents && r == 0; i++) {
		struct pod_document *document = &input->document[i];

		if (stream && (i == 0 || input->document[i - 1].source != document->source))
			fwrite(document->source->text, 1, document->start, stream);
		r = do_document(document, tree, options, function, reports, stream, changed);
		if (stream && r == 0)
			put_between(input, i, stream);
	}
	if (stream && fclose(stream) != 0 && r == 0)
		r = -ENOMEM;
	if (r == 0 && out)
		*out = take(text);
	return r;
}
